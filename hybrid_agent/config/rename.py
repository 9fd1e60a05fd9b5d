"""Schema of `configs/rename.yaml`."""

from __future__ import annotations

from pydantic import Field

from hybrid_agent.config.rewrite import RewriteConfig


class RenameConfig(RewriteConfig):
    """A `share` of the sequences in `data` goes to `out` with that share of its `words` replaced by made-up ones."""

    packs: tuple[str, ...] = Field(default=("os", "code"), min_length=1)
    share: float = Field(default=0.7, ge=0, le=1)
    words: float = Field(default=0.8, gt=0, le=1)
    seed: int = 0


SCHEMA = RenameConfig
