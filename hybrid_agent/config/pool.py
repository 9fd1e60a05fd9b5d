"""Schema of `configs/pool.yaml`: one evaluation on a pool of candidate solutions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types import Record


class PoolConfig(Record):
    """`pool` is a file of JSON lines. `folds` and `repeats` shape the cross-validation; `workers=0`: one per core."""

    pool: str | None = None
    execution: bool = True
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=3, ge=1)
    resamples: int = Field(default=10_000, ge=100)
    seed: int = Field(default=0, ge=0)
    limit: int | None = Field(default=None, ge=2)
    sandbox: Literal["bubblewrap"] = "bubblewrap"
    workers: int = Field(default=0, ge=0)
    cache: str = Field(default="runs/cache/pool", min_length=1)
    out: str = Field(default="runs", min_length=1)


SCHEMA = PoolConfig
