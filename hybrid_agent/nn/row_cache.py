"""Keys and values of several texts, a preallocated block a row."""

from __future__ import annotations

from collections.abc import Sequence

import torch

Tensor = torch.Tensor


class RowCache:
    """The cache of models of one shape; `data` is (layers, rows, 2, kv heads, positions, head width).

    Args:
        context: positions a row may have, at most.
        length: positions that rows start with.
    """

    def __init__(
        self, layers: int, kv_heads: int, head_dim: int, context: int, dtype: torch.dtype, length: int = 512
    ) -> None:
        self.context = context
        length = min(context, length)
        self.data = torch.zeros((layers, 1, 2, kv_heads, length, head_dim), dtype=dtype)

    @property
    def row_bytes(self) -> int:
        """Memory of one row that is as long as rows may be."""
        return self.data[:, 0, :, :, 0].numel() * self.data.element_size() * self.context

    def alike(self, context: int | None = None) -> RowCache:
        """An empty cache for the same models, with longer rows if `context` says so."""
        layers, _, _, kv_heads, length, head_dim = self.data.shape
        return RowCache(layers, kv_heads, head_dim, context or self.context, self.data.dtype, length)

    def reserve(self, rows: int, length: int) -> None:
        """Grow so that `rows` texts of `length` tokens fit; rows double, so that growing stays cheap."""
        old = self.data
        have_rows, have_length = old.shape[1], old.shape[4]
        if rows <= have_rows and length <= have_length:
            return
        length = min(self.context, max(have_length, 1 << (length - 1).bit_length()))
        rows = max(rows, 2 * have_rows) if rows > have_rows else have_rows
        self.data = torch.zeros((old.shape[0], rows, 2, old.shape[3], length, old.shape[5]), dtype=old.dtype)
        self.data[:, :have_rows, :, :, :have_length] = old

    def copy(self, source: int, targets: Sequence[int], length: int, start: int = 0) -> None:
        """Copy positions start..length of one row to others."""
        self.reserve(max([*targets, source]) + 1, length)
        block = self.data[:, source, :, :, start:length]
        for target in targets:
            if target != source:
                self.data[:, target, :, :, start:length] = block


def common(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the common beginning of two lists."""
    n = min(len(a), len(b))
    if a[:n] == b[:n]:
        return n
    same, other = 0, n  # equal up to `same`, not up to `other`; slices compare much faster than loops
    while other - same > 1:
        middle = (same + other) // 2
        if a[same:middle] == b[same:middle]:
            same = middle
        else:
            other = middle
    return same
