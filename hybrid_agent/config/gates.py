"""Schema of `configs/gates.yaml`: what a release must reach."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types import Record, Split

Level = Literal["alpha", "beta", "prod"]


class LevelsConfig(Record):
    """The threshold of one line at each level."""

    alpha: float
    beta: float
    prod: float


class ThresholdsConfig(Record):
    """Shares are fractions, times seconds. `docs/evaluation.md` says what each line measures."""

    os_success: LevelsConfig
    code_success: LevelsConfig
    segment_p95_s: LevelsConfig
    destructive_outside: LevelsConfig
    rollback: LevelsConfig
    scorer_auc: LevelsConfig
    human_overrides: LevelsConfig


class GatesConfig(Record):
    """Success is averaged over all tasks of `splits` (`limit` counts tasks per split), one seed.

    `hybrid_preset` is a preset of configs/hybrid. `contexts` names labelled candidates to compute the scorer's AUC on
    again; without, the figure of its own report in the bundle's manifest counts. `rollbacks` is the number of random
    episodes that are rolled back; 0 skips them, and the line is then not reached.
    """

    level: Level = "alpha"
    splits: tuple[Split, ...] = Field(default=("test_names", "test_paraphrase", "test_composition"), min_length=1)
    limit: int | None = Field(default=None, ge=1)
    decoder: str = Field(default="tiny", min_length=1)
    hybrid_preset: str = Field(default="auto", min_length=1)
    contexts: str | None = None
    rollbacks: int = Field(default=200, ge=0)
    runs: str = "runs"
    out: str = "runs"
    sandbox: Literal["bubblewrap", "docker", "none"] = "bubblewrap"
    workers: int = Field(default=0, ge=0, le=256)
    seed: int = 0
    task_timeout_s: float = Field(default=120.0, gt=0, le=3600)
    thresholds: ThresholdsConfig


SCHEMA = GatesConfig
