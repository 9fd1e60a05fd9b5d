"""Parameters and activations of the real modules, counted on the meta device: nothing is allocated.

Activations are what autograd keeps for the backward pass of one forward pass, caught by its hooks. Attention is
counted as FlashAttention and torch's fused kernels work: query, key, value, output and a number per row and head are
kept, scores are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from transformers import (
    AttentionInterface,
    AttentionMaskInterface,
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    PretrainedConfig,
    PreTrainedModel,
)

from hybrid_agent.config.explain import nearest
from hybrid_agent.config.model import HfModelConfig, LoraSettings
from hybrid_agent.errors import InputError

Tensor = torch.Tensor
COUNTED = "counted"


class _Fused(torch.autograd.Function):
    """Keeps what a fused attention kernel keeps; its output has the right shape and no meaning."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        out = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, out, query.new_empty(query.shape[:3], dtype=torch.float32))
        return out


def _attention(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> tuple[Tensor, None]:
    return _Fused.apply(query, key, value).transpose(1, 2).contiguous(), None  # type: ignore[no-untyped-call]


AttentionInterface.register(COUNTED, _attention)
AttentionMaskInterface.register(COUNTED, lambda *_, **__: None)


def hf_config(architecture: dict[str, Any], where: str = "model.architecture") -> PretrainedConfig:
    """The `transformers` config of published numbers.

    Raises:
        InputError: an unknown family, or a key that its configs do not have.
    """
    settings = dict(architecture)
    family = str(settings.pop("model_type"))
    try:
        plain = AutoConfig.for_model(family)
    except ValueError:
        raise InputError(f"transformers knows no {family!r}", where=where, field="model_type") from None
    for key in settings:
        if not hasattr(plain, key):
            close = nearest(key, plain.to_dict())
            fix = f"did you mean {close!r}?" if close else "remove it"
            raise InputError(f"configs of {family} have no {key!r}", where=where, field=key, fix=fix)
    return AutoConfig.for_model(family, **settings)


def on_meta(config: PretrainedConfig, dtype: torch.dtype, encoder: bool = False) -> PreTrainedModel:
    """A model of this config without weights."""
    kind: Any = AutoModel if encoder else AutoModelForCausalLM
    config.use_cache = False
    with torch.device("meta"):
        made: PreTrainedModel = kind.from_config(config, dtype=dtype, attn_implementation=COUNTED)
    return made.train()


def decoder_on_meta(model: HfModelConfig, config: PretrainedConfig, dtype: torch.dtype) -> nn.Module:
    """The decoder of a model config with its adapters, on the meta device.

    Raises:
        InputError: it has not as many parameters as was published.
    """
    made = on_meta(config, dtype)
    count = sum(p.numel() for p in made.parameters())
    if model.parameters is not None and count != model.parameters:
        what = f"{model.path} has {count:,} parameters by its config, {model.parameters:,} as published"
        raise InputError(what, field="model.architecture", fix="correct one of the two")
    return adapted(made, model.lora) if model.lora is not None else made


def adapted(model: nn.Module, lora: LoraSettings) -> nn.Module:
    """The model with low-rank adapters, in its own number format."""
    from peft import LoraConfig, get_peft_model

    targets = lora.targets if lora.targets == "all-linear" else list(lora.targets)
    settings = LoraConfig(
        task_type="CAUSAL_LM", r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=targets
    )  # type: ignore[arg-type]
    with torch.device("meta"):
        return get_peft_model(model, settings, autocast_adapter_dtype=False).to(next(model.parameters()).dtype)


@dataclass(frozen=True)
class Counts:
    """Attributes:
    parameters, trained: how many in all, and how many get gradients.
    weights: bytes of all parameters.
    layers: how many.
    largest: parameters of the largest thing that is gathered at once: a layer, the embedding or the head.
    layer_bytes: activations that one layer keeps, bytes a token.
    other_bytes: those of everything outside of layers (not the logits), bytes a token.
    width_bytes: the input of a layer, bytes a token: what checkpointing keeps of it.
    vocabulary: outputs of the language head; 0 if there is none.
    linear: parameters that 4-bit formats shrink: the matrices inside the layers.
    """

    parameters: int
    trained: int
    weights: int
    layers: int = 0
    largest: int = 0
    layer_bytes: float = 0.0
    other_bytes: float = 0.0
    width_bytes: float = 0.0
    vocabulary: int = 0
    linear: int = 0


def count(model: nn.Module, tokens: int = 256) -> Counts:
    """Count a module on the meta device.

    Args:
        model: with a Hugging Face model in it, its activations are counted too (once, for a row of `tokens`).
    """
    parameters = list(model.parameters())
    trained = sum(p.numel() for p in parameters if p.requires_grad)
    weights = sum(p.numel() * p.element_size() for p in parameters)
    base = next((m for m in model.modules() if isinstance(m, PreTrainedModel)), None)
    layers = _layers(base) if base is not None else None
    if base is None or layers is None:
        return Counts(sum(p.numel() for p in parameters), trained, weights, largest=sum(p.numel() for p in parameters))
    inside, total = _kept(base, layers, tokens)
    head = base.get_output_embeddings() if hasattr(base, "get_output_embeddings") else None
    tables = [m for m in base.modules() if isinstance(m, nn.Embedding)]
    gathered = [sum(p.numel() for p in part.parameters()) for part in (*layers, *tables, *([head] if head else []))]
    width = int(base.config.hidden_size) * parameters[0].element_size()
    matrices = [m.weight for layer in layers for m in layer.modules() if isinstance(m, nn.Linear)]
    return Counts(
        parameters=sum(p.numel() for p in parameters),
        trained=trained,
        weights=weights,
        layers=len(layers),
        largest=max(gathered),
        layer_bytes=max(inside) / tokens,
        other_bytes=(total - sum(inside)) / tokens,
        width_bytes=width,
        vocabulary=int(getattr(head, "out_features", 0)) if head is not None else 0,
        linear=sum(m.numel() for m in matrices if not _is_small(m)),
    )


def _is_small(weight: Tensor) -> bool:
    return min(weight.shape) <= 512  # the factors of an adapter


def _layers(model: nn.Module) -> nn.ModuleList | None:
    """The list of equal layers that makes up most of the model."""
    lists = [m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m)]
    return max(lists, key=lambda m: sum(p.numel() for p in m.parameters()), default=None)


@dataclass
class _Ledger:
    """Bytes kept so far; each storage counts once. Tensors are held so that no storage is counted under another's
    name."""

    known: set[int]
    total: int = 0
    held: list[Tensor] = field(default_factory=list)

    def keep(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in self.known:
            self.known.add(storage._cdata)
            self.total += storage.nbytes()
            self.held.append(tensor)
        return tensor


def _kept(model: PreTrainedModel, layers: nn.ModuleList, tokens: int) -> tuple[list[int], int]:
    """Bytes that each layer, and the whole model without its head, keep of a row of `tokens`."""
    ledger = _Ledger({p.untyped_storage()._cdata for p in model.parameters()})
    before: list[int] = []
    inside: list[int] = []
    trunk = getattr(model, model.base_model_prefix, model)
    ids = torch.zeros(1, tokens, dtype=torch.long, device="meta")
    with (
        _hooked(layers, lambda: before.append(ledger.total), lambda: inside.append(ledger.total - before[-1])),
        torch.autograd.graph.saved_tensors_hooks(ledger.keep, lambda tensor: tensor),
    ):
        trunk(input_ids=ids, attention_mask=torch.ones_like(ids))
    return inside, ledger.total


@contextmanager
def _hooked(layers: nn.ModuleList, enter: Callable[[], Any], leave: Callable[[], Any]) -> Iterator[None]:
    handles = [layer.register_forward_pre_hook(lambda *_: enter() and None) for layer in layers]
    handles += [layer.register_forward_hook(lambda *_: leave() and None) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
