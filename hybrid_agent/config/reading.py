"""Schema of `configs/reading.yaml`: a decoder reads candidates that are there."""

from __future__ import annotations

from pydantic import Field

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.types import Record


class ReadingConfig(Record):
    """`contexts` and `out` are folders of builds (see `configs/rollouts.yaml`)."""

    contexts: str = Field(default="runs/rollouts/contexts", min_length=1)
    out: str = Field(default="runs/rollouts/read", min_length=1)
    decoder: str = Field(default="tiny", min_length=1)
    workers: int = Field(default=0, ge=0, le=256)
    fanout: FanoutConfig = FanoutConfig()
    runs: str = "runs"


SCHEMA = ReadingConfig
