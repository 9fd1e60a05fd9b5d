"""What all training stages share: the machine, the optimizer, the length of a run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hybrid_agent.config.deepspeed import LaunchConfig, ZeroConfig
from hybrid_agent.types import Record


class ProfileConfig(Record):
    """The machine. `ranks` processes share a run (0: one per core), with `threads` in all (0: one per core).
    `precision=auto`: bf16 where the hardware multiplies it natively. `peak_tflops` is what one rank's processor could
    do at that precision (10^12 operations a second), for the MFU; null leaves the MFU out.
    `memory_gib` is what one rank's device holds: a run that cannot fit is refused before it starts (train/plan.py).

    `checkpointing` computes activations again in the backward pass instead of keeping them. `attention=auto` is
    FlashAttention-2 on a GPU where it is installed, else torch's own (SDPA). With `deepspeed` training runs under
    ZeRO-3, without it in plain torch; `ranks` is then the number on each node. `launch` says who starts them."""

    name: str = Field(min_length=1)
    device: Literal["cpu", "cuda"] = "cpu"
    ranks: int = Field(default=1, ge=0, le=256)
    threads: int = Field(default=0, ge=0, le=256)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    peak_tflops: float | None = Field(default=None, gt=0)
    memory_gib: float | None = Field(default=None, gt=0)
    checkpointing: bool = False
    attention: Literal["auto", "eager", "sdpa", "flash_attention_2"] = "auto"
    deepspeed: ZeroConfig | None = None
    launch: LaunchConfig = LaunchConfig()


class OptimConfig(Record):
    """One optimizer step. `batch_tokens` counts padding; a step takes as many such batches, over all ranks, as make up
    at least `global_tokens` (0: one batch a rank). The learning rate warms up, then falls as a cosine to
    `lr * final_lr`. `ema` is the decay of the averaged weights that are kept (0: none)."""

    kind: Literal["adamw", "muon"] = "adamw"
    lr: float = Field(default=3e-3, gt=0)
    matrix_lr: float = Field(default=0.02, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.98, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    warmup: float = Field(default=0.02, ge=0, lt=1)
    final_lr: float = Field(default=0.02, ge=0, le=1)
    batch_tokens: int = Field(default=8192, ge=16)
    global_tokens: int = Field(default=0, ge=0)
    ema: float = Field(default=0.0, ge=0, lt=1)


class LengthConfig(Record):
    """How long to train: whichever limit comes first. Exact resumption needs `max_steps`; with `max_minutes` the
    schedule follows the clock."""

    max_steps: int | None = Field(default=None, ge=1)
    max_minutes: float | None = Field(default=None, gt=0)
    log_every: int = Field(default=10, ge=1)
    eval_every: int = Field(default=500, ge=1)
    save_every: int = Field(default=200, ge=1)

    @model_validator(mode="after")
    def _ends(self) -> LengthConfig:
        if self.max_steps is None and self.max_minutes is None:
            raise ValueError("give max_steps or max_minutes")
        return self
