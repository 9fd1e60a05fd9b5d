"""Training one LoRA adapter over a frozen decoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from rich.console import Console
from torch import nn
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from hybrid_agent.config.optim import LengthConfig, OptimConfig, ProfileConfig
from hybrid_agent.decoder.prompt import is_tiny
from hybrid_agent.errors import InputError
from hybrid_agent.nn.adapters import PROJECTIONS, Adapter, adapter_of, write_adapter
from hybrid_agent.nn.tokenizer import load_tokenizer
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import MANIFEST, read_manifest
from hybrid_agent.runs.tracking import Tracker
from train.checkpoint import checkpoints, remove
from train.engine import Engine, EvalFn, LossFn, Stream
from train.flops import flops_per_token
from train.ranks import Ranks

BUNDLE = Path(__file__).parents[1] / "hybrid_agent" / "bundles" / "tiny"


@dataclass(frozen=True)
class Base:
    """The decoder that adapters are trained on. `parent` is the hash of its manifest."""

    folder: Path
    model: LlamaForCausalLM
    tokenizer: PreTrainedTokenizerFast
    parent: str
    config: dict[str, Any]


def load_base(root: Path, reference: str, device: str = "cpu") -> Base:
    """The decoder of a run (`sft/tiny`), of a bundle's folder, or of the shipped bundle (`bundle`), in float32.

    Raises:
        InputError: no such run, or it has no decoder, or a pretrained one: data and batches of experts are in our
            own decoders' format.
    """
    folder = BUNDLE if reference == "bundle" else find_run(root, reference)
    if not (folder / "decoder" / "config.json").is_file():
        raise InputError("this run has no decoder", where=str(folder), field="stage.decoder", fix="name an sft run")
    tokenizer = load_tokenizer(folder / "decoder")
    if not is_tiny(tokenizer):
        fix = "name an sft run of model=tiny; one adapter of a pretrained model: stage=sft_lora"
        what = "experts of pretrained decoders are not built"
        raise InputError(what, where=str(folder), field="stage.decoder", fix=fix)
    model = LlamaForCausalLM.from_pretrained(str(folder / "decoder"), dtype=torch.float32)
    config = read_manifest(folder).config
    return Base(folder, model.to(device), tokenizer, file_hash(folder / MANIFEST), config)


class Factors(nn.Module):
    """The trained parameters of an adapter, so that checkpoints and optimizers see them and nothing else."""

    def __init__(self, model: PeftModel) -> None:
        super().__init__()
        self.factors = nn.ParameterList([p for p in model.parameters() if p.requires_grad])


def new_adapter(model: LlamaForCausalLM, rank: int, alpha: float, seed: int) -> PeftModel:
    """Wrap the model with a fresh adapter on all linear layers (B = 0: nothing changes at first)."""
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(PROJECTIONS), task_type="CAUSAL_LM")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return get_peft_model(model, config)


def old_adapter(model: LlamaForCausalLM, folder: Path) -> PeftModel:
    """Wrap the model with a stored adapter, to go on training it."""
    return PeftModel.from_pretrained(model, str(folder), is_trainable=True)


@dataclass(frozen=True)
class Trainer:
    """What the trainings of one attempt share. `work` gets a folder of checkpoints and metrics for each."""

    base: Base
    work: Path
    profile: ProfileConfig
    console: Console
    ranks: Ranks
    tracker: Tracker

    def train(
        self,
        name: str,
        model: PeftModel,
        stream: Stream,
        loss: Callable[[LlamaForCausalLM], LossFn],
        evaluate: Callable[[LlamaForCausalLM], EvalFn],
        optim: OptimConfig,
        length: LengthConfig,
        out: Path,
    ) -> dict[str, float]:
        """Train the adapter of `model`, write it to `out`, take it off the base; returns figures.

        Adapters are read back from `out` by whatever needs them next, so a run that was killed in between sees the
        same (rounded) numbers as one that was not.
        """
        llama = model.get_base_model()
        folder = self.work / name
        self.console.print(f"{name}: {sum(p.numel() for p in model.parameters() if p.requires_grad):,} parameters")
        engine = Engine(
            Factors(model),
            stream,
            loss(llama),
            evaluate(llama),
            folder=folder,
            optim=optim,
            length=length,
            profile=self.profile,
            console=self.console,
            ranks=self.ranks,
            watch=self.tracker.mirror(f"{name}/"),
            flops=flops_per_token(model),
        )
        metrics = engine.fit()
        if self.ranks.first:
            self.save(adapter_of(model), out)
            for path in checkpoints(folder):
                remove(path)
        self.ranks.wait()
        model.unload()
        return {**metrics, "steps": engine.step, "tokens": engine.tokens, "seconds": round(engine.elapsed, 1)}

    @staticmethod
    def save(adapter: Adapter, out: Path) -> None:
        """Write an adapter in half precision."""
        write_adapter(adapter, out)
