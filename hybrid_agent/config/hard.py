"""Schema of `configs/hard.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.config.rewrite import RewriteConfig


class HardConfig(RewriteConfig):
    """What of `data` goes to `out`.

    `by=sequence`: those that `decoder` gets wrong with `weight` times their weight, and a share of the `others` as they
    are. `by=wording`: a `sample` is looked at, and all sequences of a wording are kept by how often it goes wrong:
    `others` of them if never, all from a quarter on; their weight is up to `weight` times what it was.
    """

    decoder: str = Field(default="bundle", min_length=1)
    by: Literal["sequence", "wording"] = "sequence"
    sample: float = Field(default=0.25, gt=0, le=1)
    weight: float = Field(default=3.0, gt=0, le=100)
    others: float = Field(default=0.25, ge=0, le=1)
    batch_tokens: int = Field(default=8192, ge=256)
    threads: int = Field(default=0, ge=0, le=256)
    seed: int = 0
    runs: str = "runs"


SCHEMA = HardConfig
