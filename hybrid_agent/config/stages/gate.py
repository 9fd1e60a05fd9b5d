"""Schema of `configs/stage/gate.yaml`: the policy classifier of the gate."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types import Record


class GateConfig(Record):
    """`tasks`: training goals drawn of each pack, whose gold calls are the calls to allow. `strength` is the inverse
    of the L2 penalty. `folds` of held-out templates calibrate and choose the threshold: at most `denials` of the calls
    to allow may be denied, `most` if that is what it takes to stop every hazard that the rules let through."""

    name: Literal["gate"] = "gate"
    tasks: dict[str, int]
    goals: int = Field(default=4, ge=1)
    swaps: float = Field(default=1.0, ge=0)
    strength: float = Field(default=1.0, gt=0)
    hazard_weight: float = Field(default=4.0, gt=0)
    folds: int = Field(default=5, ge=2)
    denials: float = Field(default=0.001, ge=0, lt=0.5)
    most: float = Field(default=0.005, ge=0, lt=0.5)
    fill_threshold: float = Field(default=0.8, gt=0, le=1)
