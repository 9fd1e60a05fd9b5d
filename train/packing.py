"""Several sequences in one row, none of which sees another.

Shape suffixes: B rows, T tokens of a row.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hybrid_agent.errors import InputError


@dataclass(frozen=True)
class Sample:
    """One tokenised sequence: ids (n,), answer (n,) as in `train.data.Sequences`, its weight and kind."""

    ids: NDArray[np.int32]
    answer: NDArray[np.int16]
    weight: float
    kind: str = ""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class PackedBatch:
    """Packed rows, all int64 or float (B, T). `segments` numbers the sequences of a row from 1 and is 0 where nothing
    is; `positions` begin at 0 in each of them."""

    ids: torch.Tensor
    answer: torch.Tensor
    weights: torch.Tensor
    segments: torch.Tensor
    positions: torch.Tensor

    def to(self, device: torch.device) -> PackedBatch:
        """The same batch on another device."""
        parts = (self.ids, self.answer, self.weights, self.segments, self.positions)
        return PackedBatch(*(part.to(device, non_blocking=True) for part in parts))


def fit(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Put items into as few rows of `room` as best-fit decreasing finds; the numbers of the items of each row.

    Raises:
        ValueError: an item is longer than a row.
    """
    rows: list[list[int]] = []
    free: list[tuple[int, int]] = []  # (room left, row), in order
    for item in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        length = lengths[item]
        if length > room:
            raise ValueError(f"an item of {length} does not fit into {room}")
        at = bisect.bisect_left(free, (length, -1))
        if at < len(free):
            left, row = free.pop(at)
        else:
            left, row = room, len(rows)
            rows.append([])
        rows[row].append(item)
        bisect.insort(free, (left - length, row))
    return rows


def collate_packed(rows: Sequence[Sequence[Sample]], width: int, pad_id: int) -> PackedBatch:
    """Write rows of samples into one batch of `width` tokens a row.

    The first token of a sequence is never a target: what stands before it belongs to another one.
    """
    shape = (len(rows), width)
    ids, answer = np.full(shape, pad_id, np.int64), np.zeros(shape, np.int64)
    segments, positions = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    weights = np.zeros(shape, np.float32)
    for b, row in enumerate(rows):
        at = 0
        for number, sample in enumerate(row, 1):
            part = slice(at, at + len(sample))
            ids[b, part], answer[b, part] = sample.ids, sample.answer
            answer[b, at] = 0
            weights[b, part], segments[b, part] = sample.weight, number
            positions[b, part] = np.arange(len(sample))
            at += len(sample)
        positions[b, at:] = np.arange(width - at)
    return PackedBatch(*(torch.from_numpy(a) for a in (ids, answer, weights, segments, positions)))


def model_inputs(batch: PackedBatch, config: Any, *, drop_last: bool = True) -> dict[str, Any]:
    """What a `transformers` decoder is called with so that no sequence sees another.

    FlashAttention takes all rows as one (1, B*T) with the boundaries as `cu_seq_lens`; the caller reshapes what comes
    out. SDPA and eager attention take a block-diagonal causal mask (B, 1, T, T). A model with sliding-window layers
    gets positions alone: `transformers` makes each layer's mask from their restarts.

    Args:
        batch: packed rows.
        config: the model's (its attention and layer types are read off it).
        drop_last: leave out the last token of each row, which predicts nothing.

    Raises:
        InputError: an attention for which packing is not known to be right.
    """
    stop = batch.ids.shape[1] - drop_last
    ids, segments, positions = batch.ids[:, :stop], batch.segments[:, :stop], batch.positions[:, :stop]
    kind = str(getattr(config, "_attn_implementation", "eager"))
    if "flash_attention" in kind or "flash-attn" in kind:
        flat = positions.reshape(1, -1)
        return {"input_ids": ids.reshape(1, -1), "position_ids": flat, "use_cache": False, **_boundaries(flat[0])}
    if kind not in ("sdpa", "eager"):
        raise InputError(f"packing is not known to be right with {kind}", fix="use sdpa or stream.pack=false")
    # With a cache `transformers` would not look at the positions.
    inputs = {"input_ids": ids, "position_ids": positions, "use_cache": False}
    if _slides(config):
        return inputs
    # `==` on the numbers of sequences; what is behind the last one (0) sees itself, so that no row of it is empty.
    same = segments[:, :, None] == segments[:, None, :]
    mask = (same & torch.ones(stop, stop, dtype=torch.bool, device=ids.device).tril())[:, None]
    if kind == "eager":
        mask = torch.zeros(mask.shape, device=ids.device).masked_fill(~mask, torch.finfo(torch.float32).min)
    return {**inputs, "attention_mask": mask}


def _slides(config: Any) -> bool:
    """Whether some layer sees a window only."""
    layers = getattr(config, "layer_types", None)
    if layers:
        return any("full" not in str(layer) for layer in layers)
    return getattr(config, "sliding_window", None) is not None


def _boundaries(positions: torch.Tensor) -> dict[str, Any]:
    starts = torch.nonzero(positions == 0)[:, 0]
    ends = torch.cat([starts, starts.new_tensor([len(positions)])]).to(torch.int32)
    longest = int(ends.diff().max())
    return {"cu_seq_lens_q": ends, "cu_seq_lens_k": ends, "max_length_q": longest, "max_length_k": longest}
