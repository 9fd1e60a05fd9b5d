"""Schema of `configs/stage/rl.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hybrid_agent.config.optim import OptimConfig
from hybrid_agent.types import Record


class LevelConfig(Record):
    """One level of the curriculum: which training tasks belong to it.

    `packs` gives each pack's share, `steps` the least and most steps of a goal, `families` the families of which a
    task must have at least one (empty: any).
    """

    name: str = Field(min_length=1)
    packs: dict[str, Annotated[float, Field(gt=0)]] = Field(min_length=1)
    steps: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1, 1)
    families: tuple[str, ...] = ()


class RewardConfig(Record):
    """Weights of the parts of a reward (train/rewards.py). `min_auc`: below it the energy model has no say."""

    tests: float = Field(default=1.0, gt=0)
    violation: float = Field(default=0.5, ge=0)
    latency: float = Field(default=0.05, ge=0, le=0.5)
    energy: float = Field(default=0.1, ge=0, le=0.1)
    min_auc: float = Field(default=0.7, ge=0.5, le=1)


class TurnsConfig(Record):
    """The share of turns of each kind (on the way of the gold solution) that are tried."""

    plan: float = Field(default=0.5, ge=0, le=1)
    act: float = Field(default=1.0, ge=0, le=1)
    done: float = Field(default=0.7, ge=0, le=1)
    finish: float = Field(default=0.0, ge=0, le=1)
    ask: float = Field(default=1.0, ge=0, le=1)


class GuardConfig(Record):
    """Against gaming the reward: training stops when the share of own passes that fail the held-out check has, with
    95 % confidence, grown by more than `growth` since the first phase."""

    growth: float = Field(default=0.05, gt=0, le=1)
    least: int = Field(default=50, ge=1)


class RlConfig(Record):
    """Group-relative policy optimization over work in the sandbox (docs/rl.md).

    `decoder` is the run that is trained on and stayed near to, `scorer` a run of the energy model or null. A phase
    draws `tasks` tasks, tries `group` times what each asks for (`engine` writes the tries), and makes `updates`
    updates out of it, in `epochs` passes. `pass_low`..`pass_high` is the pass rate of the groups that are learned
    from: true rates of 20 to 80 % show as 1 to 7 of 8 tries. `advance` is the pass rate at which the next level of
    the curriculum opens; `patience` phases open it in any case.
    """

    name: Literal["rl"] = "rl"
    decoder: str = Field(default="bundle", min_length=1)
    scorer: str | None = None
    unit: Literal["segment", "episode"] = "segment"
    phases: int = Field(default=6, ge=1)
    tasks: int = Field(default=120, ge=1)
    group: int = Field(default=8, ge=2, le=64)
    engine: Literal["hf", "vllm"] = "hf"
    temperature: float = Field(default=1.0, gt=0, le=3)
    max_tokens: int = Field(default=320, ge=8)
    updates: int = Field(default=6, ge=1)
    epochs: int = Field(default=1, ge=1)
    pass_low: float = Field(default=0.1, ge=0, le=1)
    pass_high: float = Field(default=0.9, ge=0, le=1)
    clip_low: float = Field(default=0.2, gt=0, lt=1)
    clip_high: float = Field(default=0.28, gt=0)
    kl: float = Field(default=0.05, ge=0)
    weight_cap: float = Field(default=2.0, ge=1)
    mismatch_limit: float = Field(default=1.0, gt=0)
    reward: RewardConfig = RewardConfig()
    guard: GuardConfig = GuardConfig()
    turns: TurnsConfig = TurnsConfig()
    levels: tuple[LevelConfig, ...] = Field(min_length=1)
    advance: float = Field(default=0.8, ge=0, le=1)
    patience: int = Field(default=2, ge=1)
    first_seed: int = Field(default=3_000_000, ge=0)
    wordings: int = Field(default=32, ge=1)
    executions: int = Field(default=2, ge=2, le=10)
    call_timeout_s: float = Field(default=5.0, gt=0, le=60)
    workers: int = Field(default=2, ge=1, le=256)
    shard: int = Field(default=10, ge=1)
    save_every: int = Field(default=6, ge=1)
    max_minutes: float | None = Field(default=None, gt=0)
    optim: OptimConfig = OptimConfig(lr=1e-4, weight_decay=0.0)

    @model_validator(mode="after")
    def _fits(self) -> RlConfig:
        if self.updates % self.epochs:
            raise ValueError(f"updates={self.updates} is not a multiple of epochs={self.epochs}")
        if self.pass_low > self.pass_high:
            raise ValueError("pass_low is above pass_high")
        return self
