"""Schema of `configs/swe_mini.yaml`: one evaluation on the mini SWE-bench pack."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types import Record


class SweMiniConfig(Record):
    """`instances` are ids or names of repositories (empty: all). `workers=0`: one per core."""

    gold: bool = False
    predictions: str | None = None
    agent: Literal["local", "hybrid"] = "local"
    decoder: str = Field(default="tiny", min_length=1)
    budget: int = Field(default=40, ge=1)
    tests: Literal["given", "hidden"] = "given"
    order: Literal["energy", "operator", "random"] = "energy"
    instances: tuple[str, ...] = ()
    limit: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    workers: int = Field(default=0, ge=0)
    timeout_s: float = Field(default=300.0, gt=0)
    cache: str = Field(default="runs/cache/swe_mini", min_length=1)
    out: str = Field(default="runs", min_length=1)


SCHEMA = SweMiniConfig
