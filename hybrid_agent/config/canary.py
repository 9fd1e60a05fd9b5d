"""Schema of `configs/canary.yaml`: whether a new bundle may serve."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types import Record, Split


class CanaryConfig(Record):
    """Both bundles do the same `tasks` tasks with the same seed; they are spread over suites and splits by size.

    `candidate` and `serving` are a bundle's folder, a run (stage/name), `bundle` (the shipped one) or `promoted`;
    `serving` left out is the promoted one, else the shipped one. The candidate's share of successes may be at most
    `margin` lower, by the lower end of a paired 95 % interval. `masked` is the largest share of tasks that trouble
    with the machinery may leave unjudged. `rollbacks` is the number of episodes of each whose calls are made again and
    rolled back. Records, journal and pointer lie under `out`. `dry` judges without promoting.
    """

    candidate: str | None = None
    serving: str | None = None
    tasks: int = Field(default=230, ge=1)
    margin: float = Field(default=0.03, ge=0, lt=1)
    masked: float = Field(default=0.05, ge=0, lt=1)
    suites: tuple[str, ...] = Field(default=("os", "code"), min_length=1)
    splits: tuple[Split, ...] = Field(default=("val",), min_length=1)
    hybrid_preset: str = Field(default="auto", min_length=1)
    rollbacks: int = Field(default=20, ge=0)
    dry: bool = False
    runs: str = "runs"
    out: str = "runs"
    sandbox: Literal["bubblewrap", "docker", "none"] = "bubblewrap"
    workers: int = Field(default=0, ge=0, le=256)
    seed: int = 0
    task_timeout_s: float = Field(default=120.0, gt=0, le=3600)


SCHEMA = CanaryConfig
