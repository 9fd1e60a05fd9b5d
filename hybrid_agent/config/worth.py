"""Schema of `configs/worth.yaml`: which parts are in force."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hybrid_agent.config.hybrid import Overrides
from hybrid_agent.config.part_overrides import PartOverrides


class WorthConfig(PartOverrides):
    """`tries` are thresholds by name, tried in order over those `without` any of them, on so many validation `tasks` of
    each pack with `seeds` seeds. Part overrides are those of an evaluation.
    """

    tasks: dict[str, Annotated[int, Field(ge=1)]] = Field(min_length=1)
    seeds: int = Field(default=1, ge=1, le=20)
    without: Overrides
    tries: dict[str, Overrides] = Field(min_length=1)
    decoder: str = Field(default="tiny", min_length=1)
    runs: str = "runs"
    out: str = "runs"
    name: str = Field(default="tiny", min_length=1, pattern=r"^[\w-]+$")
    sandbox: Literal["bubblewrap", "docker", "none"] = "bubblewrap"
    workers: int = Field(default=0, ge=0, le=256)
    task_timeout_s: float = Field(default=120.0, gt=0, le=3600)


SCHEMA = WorthConfig
