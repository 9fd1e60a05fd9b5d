"""Schema of `configs/schedule.yaml`: tuning the compute scheduler."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types import Record


class ScheduleConfig(Record):
    """Thresholds from labelled candidates of the validation split, by replay.

    `contexts` is a file or folder of `hybrid-agent traces build split=val`. `tolerance` is how much success may be lost
    against `k_base` candidates every turn; `confidence` what the early exit's margin must promise. `draws` is how often
    each turn is replayed, `prior_weight` is stored as it is (a prior changes what is written, which no replay shows),
    `draw` how its candidates are drawn (`hybrid_agent.types.Budget`).
    """

    contexts: str = Field(min_length=1)
    decoder: str = Field(default="tiny", min_length=1)
    scorer: str | None = None
    planner: str | None = None
    runs: str = "runs"
    out: str = "runs"
    name: str = Field(default="tiny", min_length=1)
    k_base: int = Field(default=4, ge=2, le=16)
    k_max: int = Field(default=8, ge=2, le=32)
    draw: Literal["sample", "branch"] = "branch"
    temperature: float = Field(default=0.3, gt=0, le=5)
    prior_weight: float = Field(default=0.3, ge=0, le=10)
    tolerance: float = Field(default=0.005, ge=0, le=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    draws: int = Field(default=20, ge=1, le=1000)
    limit: int | None = Field(default=None, ge=2)
    seed: int = 0


SCHEMA = ScheduleConfig
