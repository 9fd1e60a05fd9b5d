"""What the segment engine needs of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch

from hybrid_agent.nn.row_cache import common

__all__ = ["Bias", "KVModel", "common"]

Bias = Callable[[Sequence[int]], Mapping[int, float]]
"""From the tokens written so far to what is added to logits (token -> value)."""


class KVModel(Protocol):
    """A model with a cache of rows (hybrid_agent.nn.lean, hybrid_agent.nn.rows)."""

    vocab_size: int
    context: int

    def forward(self, rows: Sequence[int], tokens: Sequence[Sequence[int]], starts: Sequence[int]) -> torch.Tensor:
        """Append tokens to rows at the given starts; logits (B, vocab) after the last token of each."""
        ...

    def forward_all(self, row: int, tokens: Sequence[int], start: int, at: Sequence[int] | None = None) -> torch.Tensor:
        """Append tokens to one row; logits (len(at), vocab) after the tokens at these places (None: all)."""
        ...

    def copy_row(self, source: int, targets: Sequence[int], length: int, start: int = 0) -> None:
        """Copy cached positions start..length of one row to others."""
        ...
