"""Schema of `configs/stage/hrm.yaml` and of `planner/config.json`: the planner and how it is trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.config.optim import LengthConfig, OptimConfig
from hybrid_agent.types import Record

Variant = Literal["full", "flat", "shuffled_g", "no_infonce", "one_step"]


class PlannerConfig(Record):
    """Sizes of the planner.

    The GRU ticks every `k_plan` segments and, with `tick_on_steps`, at the start of each step of the plan. `passes`
    is the number of weight-shared refinement passes, `horizon` the turns that risk and the plan look ahead. `words`,
    `calls`, `obs` and `listing` are the buckets of the hashed features. `variant` is an ablation: `flat` has no plan,
    one pass and wider layers (equal parameters); `one_step` cuts the gradient of all but the last update;
    `no_infonce` trains without the plan's loss; `shuffled_g` is evaluated with other episodes' plans.
    """

    width: int = Field(default=128, ge=8)
    hidden: int = Field(default=128, ge=8)
    blocks: int = Field(default=2, ge=1)
    passes: int = Field(default=3, ge=1)
    k_plan: int = Field(default=8, ge=1)
    tick_on_steps: bool = True
    horizon: int = Field(default=4, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    words: int = Field(default=1024, ge=16)
    calls: int = Field(default=64, ge=8)
    obs: int = Field(default=128, ge=8)
    listing: int = Field(default=64, ge=8)
    variant: Variant = "full"


class HrmLossConfig(Record):
    """Weights of the losses, and the constants of plan-InfoNCE.

    `temperature` is τ; keys whose cosine with the right one exceeds `same` are no negatives; deltas shorter than
    `still` are dropped. `pos_weight` caps the weight of rare positives of risk and deliberation.
    """

    tool: float = Field(default=1.0, ge=0)
    expert: float = Field(default=0.5, ge=0)
    risk: float = Field(default=1.0, ge=0)
    deliberate: float = Field(default=0.5, ge=0)
    infonce: float = Field(default=0.2, ge=0)
    temperature: float = Field(default=0.1, gt=0)
    same: float = Field(default=0.95, gt=0, le=1)
    still: float = Field(default=1e-3, ge=0)
    pos_weight: float = Field(default=10.0, ge=1)


class HrmConfig(Record):
    """Training of the planner on episodes, from at least one of three sources: `contexts` (a contexts file, or its
    folder), `episodes` (an index of judged traces, or its folder) and `gold` (a folder of cached gold episodes, of
    which `max_gold` are used).

    `decoder` is the parent whose failures the data shows: a run, e.g. `sft/tiny`, the path of a bundle, or the word
    `bundle`. `val_share` of the groups (tasks) is held out: half of it to calibrate on, half to report.
    """

    name: Literal["hrm"] = "hrm"
    contexts: str | None = None
    episodes: str | None = None
    gold: str | None = None
    max_gold: int | None = Field(default=None, ge=1)
    max_turns: int = Field(default=64, ge=2)
    decoder: str | None = None
    val_share: float = Field(default=0.2, gt=0, lt=1)
    planner: PlannerConfig = PlannerConfig()
    loss: HrmLossConfig = HrmLossConfig()
    optim: OptimConfig = OptimConfig()
    length: LengthConfig
