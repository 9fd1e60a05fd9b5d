"""One forward pass for rows of any lengths and of several models that share one shape.

All new tokens of all rows lie behind each other in one matrix, so nothing is padded: products with the weights are
over all of them (over those of one model, where rows have different ones), attention is a row at a time over what that
row has in the cache, as if it were alone.

Shapes: B rows, T new tokens of all rows, N of one row, S cached positions, H heads, G key/value heads, E head width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F

from hybrid_agent.nn.lean import LeanLlama, mlp, rotate, unit
from hybrid_agent.nn.row_cache import RowCache

Tensor = torch.Tensor


class RowWork(NamedTuple):
    """Append `tokens` to a row of the cache whose first `start` places are valid.

    `positions` of the new tokens are those of their places unless given; `mask`, float32 (N, start + N), is added to
    attention scores: 0 for what a token sees, -inf for what it does not; None: all that came before it.
    """

    model: LeanLlama
    row: int
    tokens: Sequence[int]
    start: int
    positions: Sequence[int] | None = None
    mask: Tensor | None = None


@torch.inference_mode()
def forward_ragged(cache: RowCache, work: Sequence[RowWork]) -> Tensor:
    """Logits, float32 (B, vocab), after the last token of each row.

    Args:
        cache: of models of this shape; the models' own caches are not used.
        work: different rows.
    """
    order = sorted(range(len(work)), key=lambda i: id(work[i].model.blocks))
    rows = [work[i] for i in order]
    sizes = [len(r.tokens) for r in rows]
    last = unit(_run(cache, rows, sizes)[torch.tensor(sizes).cumsum(0) - 1], rows[0].model.eps)
    logits = _each(_groups(rows, [1] * len(rows)), lambda m, last: last @ m.head_t, last).float()
    return logits if order == sorted(order) else logits[torch.tensor(order).argsort()]


@torch.inference_mode()
def ragged_states(cache: RowCache, work: Sequence[RowWork]) -> list[Tensor]:
    """The last layer's normed states, float32 (N, D), of the new tokens of each row, for rows of one model."""
    sizes, model = [len(r.tokens) for r in work], work[0].model
    states = unit(_run(cache, work, sizes), model.eps) * model.norm
    return list(torch.split(states.float(), sizes))


def _run(cache: RowCache, rows: Sequence[RowWork], sizes: Sequence[int]) -> Tensor:
    """Bring all rows on; (T, D) after the last layer. Rows of one model stand together."""
    cache.reserve(max(r.row for r in rows) + 1, max(r.start + n for r, n in zip(rows, sizes, strict=True)))
    past = [_past(cache, r) for r in rows]
    spots = torch.tensor([p for r, n in zip(rows, sizes, strict=True) for p in range(r.start, r.start + n)])
    places = torch.tensor([r.row for r, n in zip(rows, sizes, strict=True) for _ in range(n)])
    ids = torch.tensor([token for r in rows for token in r.tokens])
    groups, model, total = _groups(rows, sizes), rows[0].model, len(ids)
    h, g, e, eps = model.heads, model.kv_heads, model.head_dim, model.eps
    turns = model.turns[_positions(rows, sizes, spots)]  # (T, 1, E/2)
    x = _each(groups, lambda m, ids: m.embedding[ids], ids)
    for at in range(model.layers):
        qkv = _each(groups, lambda m, x: x @ m.blocks[at].qkv, unit(x, eps)).view(total, h + 2 * g, e)  # noqa: B023
        rotate(qkv[:, : h + g], turns)
        cache.data[at][places, :, :, spots] = qkv[:, h:].view(total, 2, g, e)
        queries = torch.split(qkv[None, :, :h].transpose(1, 2), list(sizes), 2)  # of each row (1, H, N, E)
        outs = [row.attend(query, at, h != g) for row, query in zip(past, queries, strict=True)]
        out = torch.cat(outs, 2)[0].transpose(0, 1).reshape(total, h * e)
        x = _each(groups, lambda m, x, out: torch.addmm(x, out, m.blocks[at].out), x, out)  # noqa: B023
        x = _each(groups, lambda m, x: mlp(x, m.blocks[at], eps), x)  # noqa: B023
    return x


def _positions(rows: Sequence[RowWork], sizes: Sequence[int], spots: Tensor) -> Tensor:
    if all(row.positions is None for row in rows):
        return spots
    parts = zip(rows, torch.split(spots, list(sizes)), strict=True)
    return torch.cat([own if row.positions is None else torch.tensor(row.positions) for row, own in parts])


class _Past(NamedTuple):
    """What one row attends to: keys and values (1, G, S, E) of each layer, and what of it is not seen yet."""

    keys: Sequence[Tensor]
    values: Sequence[Tensor]
    mask: Tensor | None
    causal: bool

    def attend(self, query: Tensor, layer: int, gqa: bool) -> Tensor:
        keys, values = self.keys[layer], self.values[layer]
        return F.scaled_dot_product_attention(query, keys, values, self.mask, is_causal=self.causal, enable_gqa=gqa)


def _past(cache: RowCache, work: RowWork) -> _Past:
    n = len(work.tokens)
    end = work.start + n
    keys, values = cache.data[:, work.row : work.row + 1, :, :, :end].unbind(2)
    mask = work.mask
    if mask is None and n > 1 and work.start:
        mask = torch.full((n, end), -torch.inf, dtype=keys.dtype).triu_(work.start + 1)
    return _Past(keys.unbind(0), values.unbind(0), mask, causal=n > 1 and mask is None)


_Groups = list[tuple[LeanLlama, int, int]]


def _groups(rows: Sequence[RowWork], sizes: Sequence[int]) -> _Groups:
    """Where the part of each model lies."""
    found: _Groups = []
    at = 0
    for row, size in zip(rows, sizes, strict=True):
        if found and found[-1][0].blocks is row.model.blocks:
            found[-1] = (*found[-1][:2], at + size)
        else:
            found.append((row.model, at, at + size))
        at += size
    return found


def _each(groups: _Groups, run: Callable[..., Tensor], *given: Tensor) -> Tensor:
    """Each model on its part."""
    if len(groups) == 1:
        return run(groups[0][0], *given)
    return torch.cat([run(model, *(x[start:end] for x in given)) for model, start, end in groups])
