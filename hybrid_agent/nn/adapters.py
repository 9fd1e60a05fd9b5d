"""LoRA adapters as plain weights: read and written in PEFT's layout, mixed exactly, merged into a model.

A mixture of adapters is the mixture of their weight changes, sum_i s_i B_i A_i. Concatenating the factors gives
exactly that (an adapter of the summed rank); PEFT's `linear` combination mixes the factors themselves, whose product
has cross terms and is something else.
"""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from transformers import PreTrainedModel

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_atomic, write_json

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_KEY = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<factor>[AB])\.(?:\w+\.)?weight$")
_LAYER = re.compile(r"\.layers\.(\d+)\.")


@dataclass(frozen=True)
class Adapter:
    """Low-rank changes of linear layers (Hu et al. 2021): W + B A.

    Attributes:
        factors: module name (`model.layers.0.mlp.up_proj`) -> (A (r, in), B (out, r)), float32, any scaling folded
            into B.
    """

    factors: Mapping[str, tuple[torch.Tensor, torch.Tensor]]

    @property
    def rank(self) -> int:
        """The largest rank of any of its changes."""
        return max((a.shape[0] for a, _ in self.factors.values()), default=0)

    @property
    def layers(self) -> int:
        """One more than the highest layer it changes."""
        return max((layer_of(name) for name in self.factors), default=-1) + 1

    def change(self, module: str) -> torch.Tensor:
        """What is added to the weight of a module, (out, in)."""
        a, b = self.factors[module]
        return b @ a


def layer_of(module: str) -> int:
    """The number of the layer a module belongs to; 0 for modules outside of layers."""
    found = _LAYER.search(f".{module}.")
    return int(found.group(1)) if found else 0


def read_adapter(folder: Path) -> Adapter:
    """Read a LoRA adapter in PEFT's layout (without PEFT).

    Raises:
        InputError: a file is missing or broken, or the adapter is more than plain LoRA on linear layers.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        weights = load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"no readable adapter: {error}", where=str(folder), fix="train one: stage=aoe") from None
    for field, plain in (("peft_type", "LORA"), ("bias", "none"), ("use_dora", False), ("modules_to_save", None)):
        if config.get(field, plain) != plain:
            raise InputError(f"only {plain!r} is understood", where=str(folder / CONFIG), field=field)
    for field in ("rank_pattern", "alpha_pattern"):
        if config.get(field):
            raise InputError("one rank for all layers is needed", where=str(folder / CONFIG), field=field)
    return _from_tensors(weights, config, folder / WEIGHTS)


def adapter_of(model: Any, name: str = "default") -> Adapter:
    """The present weights of one adapter of a `PeftModel`, detached."""
    from peft import get_peft_model_state_dict

    weights = get_peft_model_state_dict(model, adapter_name=name)
    return _from_tensors(weights, model.peft_config[name].to_dict(), Path(name))


def _from_tensors(weights: Mapping[str, torch.Tensor], config: Mapping[str, Any], where: Path) -> Adapter:
    rank, alpha = int(config["r"]), float(config["lora_alpha"])
    scale = alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank
    halves: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in weights.items():
        found = _KEY.match(key)
        if found is None:
            raise InputError(f"{key!r} is not a LoRA factor of a linear layer", where=str(where))
        # A copy: the adapter must not change while its source goes on training.
        halves.setdefault(found["module"], {})[found["factor"]] = tensor.detach().to("cpu", torch.float32, copy=True)
    for module, pair in halves.items():
        if set(pair) != {"A", "B"}:
            raise InputError("a factor is missing", where=str(where), field=module)
    return Adapter({module: (pair["A"], pair["B"] * scale) for module, pair in sorted(halves.items())})


def write_adapter(adapter: Adapter, folder: Path, dtype: torch.dtype = torch.float16) -> None:
    """Save in PEFT's layout, so that `PeftModel.from_pretrained(model, folder)` loads it (scaling 1: alpha = r)."""
    ranks = {a.shape[0] for a, _ in adapter.factors.values()}
    if len(ranks) != 1:
        raise ValueError(f"one rank for all modules is needed, not {sorted(ranks)}")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": None,
        "r": adapter.rank,
        "lora_alpha": adapter.rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted({module.rsplit(".", 1)[-1] for module in adapter.factors}),
        "inference_mode": True,
    }
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for module, pair in adapter.factors.items():
        for factor, tensor in zip("AB", pair, strict=True):
            tensors[f"base_model.model.{module}.lora_{factor}.weight"] = tensor.to(dtype).contiguous()
    data = save(tensors, metadata={"format": "pt"})
    write_atomic(folder / WEIGHTS, lambda temp: _put(temp, data))
    write_json(folder / CONFIG, config)


def _put(temp: Path, data: bytes) -> None:
    temp.write_bytes(data)


def blend(first: Adapter | None, second: Adapter | None, shares: float | Sequence[float]) -> Adapter:
    """The adapter whose changes are share x first + (1 - share) x second, exactly; its rank is the sum of theirs.

    Args:
        first, second: None is the unchanged model.
        shares: of the first, one for all layers or one a layer.

    Raises:
        ValueError: not one share a layer.
    """
    present = [adapter for adapter in (first, second) if adapter is not None]
    layers = max((adapter.layers for adapter in present), default=0)
    by_layer = [float(shares)] * layers if isinstance(shares, int | float) else [float(s) for s in shares]
    if len(by_layer) != layers:
        raise ValueError(f"{len(by_layer)} shares for {layers} layers")
    factors = {}
    for module in sorted({module for adapter in present for module in adapter.factors}):
        share = by_layer[layer_of(module)]
        parts = [
            (adapter.factors[module], weight)
            for adapter, weight in ((first, share), (second, 1 - share))
            if adapter is not None and module in adapter.factors
        ]
        factors[module] = (
            torch.cat([a for (a, _), _ in parts]),
            torch.cat([b * weight for (_, b), weight in parts], dim=1),
        )
    return Adapter(factors)


@torch.no_grad()
def merged(model: PreTrainedModel, adapter: Adapter | None) -> PreTrainedModel:
    """A copy of the model with the adapter's changes added to its weights.

    Raises:
        InputError: the adapter belongs to a model of another shape.
    """
    made = copy.deepcopy(model)
    for module, (a, b) in adapter.factors.items() if adapter else ():
        try:
            weight = made.get_submodule(module).weight
        except AttributeError:
            raise InputError("the model has no such layer", field=module, fix="use the adapter's own base") from None
        assert isinstance(weight, torch.Tensor)
        if weight.shape != (b.shape[0], a.shape[1]):
            what = f"the adapter changes {(b.shape[0], a.shape[1])}, the layer is {tuple(weight.shape)}"
            raise InputError(what, field=module, fix="use the adapter's own base")
        change = (b @ a).to(weight.device)
        weight.copy_((weight.float() + change).to(weight.dtype))
    return made
