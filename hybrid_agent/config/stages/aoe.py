"""Schema of `configs/stage/aoe.yaml`."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, model_validator

from hybrid_agent.config.optim import LengthConfig, OptimConfig
from hybrid_agent.types import Record

ExpertName = Literal["generalist", "python", "shell", "editor", "config"]  # hybrid_agent.traces.domains.Expert
ALL: tuple[ExpertName, ...] = get_args(ExpertName)


class ChildConfig(Record):
    """A child of two experts: each layer takes a share (one of `values`) of the first parent, searched in `rounds`
    passes over the layers, then `steps` of fine-tuning on both slices. It is promoted if it beats both parents with
    a one-sided McNemar p below `p`. `rows` held-out sequences are looked at per trial of the search."""

    parents: tuple[ExpertName, ExpertName] = ("editor", "config")
    values: tuple[float, ...] = Field(default=(0.0, 0.25, 0.5, 0.75, 1.0), min_length=2)
    rounds: int = Field(default=1, ge=0)
    steps: int = Field(default=40, ge=0)
    rows: int = Field(default=80, ge=1)
    p: float = Field(default=0.05, gt=0, lt=1)


class DistilConfig(Record):
    """The routed experts taught to the generalist: reverse KL on its own samples (`max_tokens` each, `calls` a step)
    and `gold` of forward KL on verified calls (Agarwal et al. 2024, on-policy distillation)."""

    steps: int = Field(default=60, ge=1)
    calls: int = Field(default=16, ge=1)
    max_tokens: int = Field(default=80, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    gold: float = Field(default=0.3, ge=0, le=1)
    lr: float = Field(default=3e-4, gt=0)


class AoeConfig(Record):
    """Specialists as LoRA adapters over one decoder.

    `decoder` is a complete run (`sft/tiny`), a bundle's folder, or `bundle` for the shipped one. `data` is a file of
    sequences; without it, the corpus that the decoder's run was trained on. `share` of what a specialist sees is
    ordinary data with every call counted. `val` are episodes a pack of the val split to compare
    on (executed once); without, `held_share` of the training data is held out, by its calls. `multitask` trains one
    adapter of the same total rank on the same total data, to compare with.
    """

    name: Literal["aoe"] = "aoe"
    decoder: str = "bundle"
    data: str | None = None
    experts: tuple[ExpertName, ...] = Field(default=ALL, min_length=1)
    rank: int = Field(default=8, ge=1)
    alpha: float = Field(default=16.0, gt=0)
    share: float = Field(default=0.3, ge=0, lt=1)
    val: dict[str, int] | None = None
    held_share: float = Field(default=0.02, gt=0, lt=1)
    eval_rows: int = Field(default=1200, ge=8)
    multitask: bool = True
    child: ChildConfig | None = ChildConfig()
    distil: DistilConfig | None = DistilConfig()
    optim: OptimConfig = OptimConfig()
    length: LengthConfig

    @model_validator(mode="after")
    def _fits(self) -> AoeConfig:
        if len(set(self.experts)) != len(self.experts):
            raise ValueError("an expert is named twice")
        if self.child and not set(self.child.parents) <= set(self.experts):
            raise ValueError("the child's parents must be among the experts")
        if self.child and self.child.parents[0] == self.child.parents[1]:
            raise ValueError("the child's parents must be two")
        if self.distil and "generalist" not in self.experts:
            raise ValueError("distil needs the generalist among the experts")
        if self.length.max_steps is None:
            raise ValueError("give length.max_steps: every adapter gets as many")
        return self
