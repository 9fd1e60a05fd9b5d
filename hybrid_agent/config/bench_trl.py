"""Schema of `configs/bench_trl.yaml`."""

from __future__ import annotations

from pydantic import Field, model_validator

from hybrid_agent.config.model import ModelConfig
from hybrid_agent.types import Record


class BenchTrlConfig(Record):
    """Our training loop against TRL's (see train.bench_trl). Each side does `steps` steps of `rows` sequences, in
    `blocks` turns, after one turn that does not count. `data` is a file of sequences; null makes plans of the
    packs."""

    steps: int = Field(default=1000, ge=1)
    blocks: int = Field(default=20, ge=1)
    rows: int = Field(default=8, ge=1)
    threads: int = Field(default=1, ge=1)
    sequences: int = Field(default=1024, ge=1)
    data: str | None = None
    lr: float = Field(default=1e-3, gt=0)
    seed: int = 0
    model: ModelConfig = ModelConfig()

    @model_validator(mode="after")
    def _whole(self) -> BenchTrlConfig:
        if self.steps % self.blocks:
            raise ValueError("steps must be a multiple of blocks")
        if self.sequences % self.rows:
            raise ValueError("sequences must be a multiple of rows")
        return self


SCHEMA = BenchTrlConfig
