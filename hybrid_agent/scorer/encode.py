"""From windows and candidates to token ids, and from those to batches.

A packed row is a prefix with all its candidates behind it: each candidate sees the prefix and itself only, and its
positions go on from the prefix's end, so the prefix is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

from hybrid_agent.traces.window_text import END, plain, render_window
from hybrid_agent.types import Window

Tensor = torch.Tensor


class Encoder:
    """Token ids of prefixes and candidates, cut in the middle to fit a context.

    Args:
        tokenizer: any fast tokenizer; one without our control tokens spells them out.
        context: positions of the trunk. Candidates get three eighths of it, prefixes the rest.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, context: int) -> None:
        self._tokenizer = tokenizer.backend_tokenizer
        self.candidate_room = context * 3 // 8
        self.prefix_room = context - self.candidate_room

    def prefix(self, window: Window) -> list[int]:
        """Ids of a window, up to and including the mark after which the call is written."""
        return _cut(self._ids(render_window(window)), self.prefix_room)

    def candidate(self, text: str) -> list[int]:
        """Ids of a call and the mark of its end."""
        return _cut(self._ids(plain(text) + END), self.candidate_room)

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _cut(ids: list[int], room: int) -> list[int]:
    """The first quarter and the last three quarters of what fits: heads name the task, ends are the newest."""
    if len(ids) <= room:
        return ids
    head = room // 4
    return ids[:head] + ids[head - room :]


@dataclass(frozen=True)
class Batch:
    """B rows of T tokens with C candidates in them.

    Attributes:
        ids, positions: int64 (B, T).
        segments: int64 (B, T): 0 prefix, 1.. candidates, -1 padding.
        row, start, size: int64 (C,): where each candidate lies.
        packed: rows hold several candidates (then the attention mask follows `segments`).
    """

    ids: Tensor
    positions: Tensor
    segments: Tensor
    row: Tensor
    start: Tensor
    size: Tensor
    packed: bool

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        parts = (self.ids, self.positions, self.segments, self.row, self.start, self.size)
        ids, positions, segments, row, start, size = (part.to(device) for part in parts)
        return Batch(ids, positions, segments, row, start, size, self.packed)

    def mask(self) -> Tensor:
        """What may be attended to: bool (B, 1, T, T) if packed, else int64 (B, T), 0 for padding."""
        if not self.packed:
            return (self.segments >= 0).long()
        mine, other = self.segments[:, :, None], self.segments[:, None, :]
        length = self.ids.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool, device=self.ids.device).tril()
        return (causal & ((other == 0) | (other == mine)))[:, None]


def pack(prefixes: Sequence[Sequence[int]], candidates: Sequence[Sequence[Sequence[int]]], packed: bool) -> Batch:
    """Make a batch.

    Args:
        prefixes: ids of each context's prefix, B of them.
        candidates: ids of each context's candidates.
        packed: one row a context; else one row a candidate, in the same order.
    """
    rows: list[tuple[Sequence[int], Sequence[Sequence[int]]]] = list(zip(prefixes, candidates, strict=True))
    if not packed:
        rows = [(prefix, [candidate]) for prefix, group in rows for candidate in group]
    length = max(len(prefix) + sum(map(len, group)) for prefix, group in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    positions, segments = torch.zeros_like(ids), torch.full_like(ids, -1)
    places: list[tuple[int, int, int]] = []
    for r, (prefix, group) in enumerate(rows):
        at = len(prefix)
        ids[r, :at] = torch.tensor(prefix)
        positions[r, :at] = torch.arange(at)
        segments[r, :at] = 0
        for number, candidate in enumerate(group, 1):
            end = at + len(candidate)
            ids[r, at:end] = torch.tensor(candidate)
            positions[r, at:end] = torch.arange(len(prefix), len(prefix) + len(candidate))
            segments[r, at:end] = number
            places.append((r, at, len(candidate)))
            at = end
    row, start, size = torch.tensor(places).unbind(1)
    return Batch(ids, positions, segments, row, start, size, packed)
