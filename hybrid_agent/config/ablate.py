"""Schema of `configs/ablate.yaml`: the hybrid with and without each of its parts."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from hybrid_agent.config.eval import SuiteConfig
from hybrid_agent.config.part_overrides import PartOverrides
from hybrid_agent.types import Split

Variant = Literal[
    "full",
    "no_planner",
    "no_scorer",
    "no_experts",
    "branches",
    "fixed_k",
    "four_samples",
    "free_form",
    "no_speculation",
    "no_shaping",
    "routed",
    "shaped",
    "greedy",
    "logprob4",
    "energy4",
]
VARIANTS: tuple[Variant, ...] = get_args(Variant)


class AblateConfig(PartOverrides):
    """Each variant (a preset of configs/hybrid) on each split with `seeds` seeds; `limit` counts tasks per split.

    `splits=null`: all test splits of the suite. The settings of an episode and the part overrides are those of an
    evaluation; all variants get the same ones. `token_share` is the share of the tokens of fixed K that adaptive K
    may spend.
    """

    suite: SuiteConfig
    splits: tuple[Split, ...] | None = None
    limit: int | None = Field(default=None, ge=1)
    seeds: int = Field(default=3, ge=1, le=20)
    variants: tuple[Variant, ...] = Field(default=VARIANTS, min_length=1)
    decoder: str = Field(default="tiny", min_length=1)
    runs: str = "runs"
    out: str = "runs"
    name: str | None = Field(default=None, min_length=1, pattern=r"^[\w-]+$")
    sandbox: Literal["bubblewrap", "docker", "none"] = "bubblewrap"
    workers: int = Field(default=0, ge=0, le=256)
    max_steps: int | None = Field(default=None, ge=1)
    task_timeout_s: float = Field(default=120.0, gt=0, le=3600)
    resamples: int = Field(default=4000, ge=100)
    token_share: float = Field(default=0.6, gt=0, le=1)


SCHEMA = AblateConfig
