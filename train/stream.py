"""A mixture of sources as an endless stream of batches: deterministic, resumable, the same for any number of ranks.

The stream goes block by block. A block is so many records, drawn from the sources by weight, shuffled, tokenised and
put into batches; which source each record comes from and the shuffle depend on the seed and the block's number only.
So the position is the sources' cursors at the beginning of the block, and the number of the batch in it. All ranks make
the same batches in the same order and each keeps its own (train.engine): the position knows nothing of ranks.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_agent.config.mixture import SourceConfig, StreamConfig
from hybrid_agent.errors import InputError
from train.chat_data import ChatLine
from train.data import Batch, Sequences, bucket, collate
from train.ngrams import Screen
from train.packing import PackedBatch, Sample, collate_packed, fit
from train.stream_readers import Cursor, open_reader
from train.stream_records import Encoder, line_of, text_of

EMPTY = 4  # blocks in a row without a usable record before the stream gives up


class Part:
    """One source: its records as lines, without those that are held out or contaminated."""

    def __init__(
        self, config: SourceConfig, end: str, *, val_share: float = 0.0, seed: int = 0, screen: Screen | None = None
    ) -> None:
        self.config, self.end, self.screen = config, end, screen
        self.val_share, self.seed = val_share, seed
        self.reader = open_reader(config)
        self.read = self.dropped = 0

    def next(self) -> ChatLine | None:
        """The next line to train on; None where a whole pass over the source had none."""
        began = self.reader.cursor()
        while True:
            record, where = self.reader.next()
            self.read += 1
            line = line_of(record, self.config, where, self.end)
            if line is not None and not self._leave(line):
                return line
            now = self.reader.cursor()
            if (now["epoch"], now["record"]) >= (began["epoch"] + 1, max(1, began["record"])):
                return None

    def held(self, limit: int, most: int) -> Iterator[ChatLine]:
        """At most `limit` held-out lines among the first `most` records, from the beginning of the source."""
        reader, found = open_reader(self.config), 0
        for _ in range(most):
            record, where = reader.next()
            if reader.cursor()["epoch"] or found >= limit:
                return
            line = line_of(record, self.config, where, self.end)
            if line is not None and held_out(text_of(line), self.val_share, self.seed):
                found += 1
                yield line

    def _leave(self, line: ChatLine) -> bool:
        text = text_of(line)
        if held_out(text, self.val_share, self.seed):
            return True
        if self.screen is not None and self.screen.find(text) is not None:
            self.dropped += 1
            return True
        return False


def held_out(text: str, share: float, seed: int) -> bool:
    """Whether a line is kept for validation: by its text, so that the same text is never on both sides."""
    digest = hashlib.blake2b(f"{seed}\x1f{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) < share * 2**64


class MixtureStream:
    """See the top of this file; a `train.engine.Stream`.

    Args:
        parts: the sources.
        encoder: makes samples of lines.
        settings: block, packing, row length.
        batch_tokens: tokens of a batch, padding included (at least one row is in it).
        seed: decides the order.
        pad_id: fills rows up.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        encoder: Encoder,
        settings: StreamConfig,
        *,
        batch_tokens: int,
        seed: int,
        pad_id: int,
    ) -> None:
        self.parts, self.encoder, self.settings = list(parts), encoder, settings
        self.batch_tokens, self.seed, self.pad_id = batch_tokens, seed, pad_id
        self.row_tokens = settings.row_tokens or encoder.context
        if self.row_tokens < encoder.context:
            raise InputError(
                f"a row of {self.row_tokens} tokens cannot hold the longest sequence",
                field="stage.stream.row_tokens",
                fix=f"give 0 or at least model.context ({encoder.context})",
            )
        weights = np.array([part.config.weight for part in self.parts])
        self._shares = weights / weights.sum()
        self.block = self.index = 0
        self._start: list[dict[str, Any]] = []
        self._samples: list[Sample] = []
        self._plan: list[list[list[int]]] | None = None  # batches of rows of samples; None: not made yet

    def next(self) -> Batch | PackedBatch:
        """The next batch."""
        batch = self._here()
        self.index += 1
        if self.settings.pack:
            rows = [[self._samples[i] for i in row] for row in batch]
            return collate_packed(rows, max(sum(map(len, row)) for row in rows), self.pad_id)
        chosen = [self._samples[i] for row in batch for i in row]
        return collate(as_sequences(chosen), np.arange(len(chosen)), self.pad_id)

    def skip(self) -> None:
        """Go past the next batch without making it."""
        self._here()
        self.index += 1

    def state(self) -> dict[str, Any]:
        """Where each source stood at the beginning of the block, and the number of the next batch in it."""
        if self._plan is None:
            self._start = self._positions()
        return {"block": self.block, "batch": self.index, "sources": [dict(start) for start in self._start]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of a stream over the same sources with the same settings."""
        for part, start in zip(self.parts, state["sources"], strict=True):
            cursor: Cursor = start["cursor"]
            part.reader.seek(cursor)
            part.read, part.dropped = start["read"], start["dropped"]
        self.block, self.index, self._plan = state["block"], state["batch"], None

    def figures(self) -> dict[str, float]:
        """Records read, times read through and records dropped as contaminated, by source."""
        found: dict[str, float] = {}
        for part in self.parts:
            name = f"data/{part.config.kind or Path(part.config.path).name}"
            found |= {f"{name}/read": part.read, f"{name}/epochs": part.reader.cursor()["epoch"]}
            if part.screen is not None:
                found[f"{name}/dropped"] = part.dropped
        return found

    def _here(self) -> list[list[int]]:
        empty = 0
        if self._plan is None:
            self._plan = self._make()
        while self.index >= len(self._plan):
            empty += not self._plan
            if empty == EMPTY:
                fix = "give a larger model.context, or other sources"
                raise InputError(f"no sequence has an answer within {self.encoder.context} tokens", fix=fix)
            self.block, self.index = self.block + 1, 0
            self._plan = self._make()
        return self._plan[self.index]

    def _make(self) -> list[list[list[int]]]:
        """Draw, tokenise and plan a block."""
        self._start = self._positions()
        rng = np.random.default_rng([self.seed, 13, self.block])
        lines: list[ChatLine] = []
        for number in rng.choice(len(self.parts), self.settings.block, p=self._shares):
            line = self.parts[number].next()
            if line is None:
                where = self.parts[number].config.path
                raise InputError("no record of it can be trained on", where=where, field="stage.mixture")
            lines.append(line)
        samples = self.encoder.samples(lines)
        self._samples = [samples[i] for i in rng.permutation(len(samples))]
        lengths = [len(sample) for sample in self._samples]
        if not self.settings.pack:
            groups = bucket(np.arange(len(lengths)), np.array(lengths, np.int64), self.batch_tokens) if lengths else []
            return [[[int(i)] for i in groups[g]] for g in rng.permutation(len(groups))]
        rows = fit(lengths, self.row_tokens)
        rows = [rows[i] for i in rng.permutation(len(rows))]
        many = max(1, self.batch_tokens // self.row_tokens)
        return [rows[at : at + many] for at in range(0, len(rows), many)]

    def _positions(self) -> list[dict[str, Any]]:
        return [{"cursor": p.reader.cursor(), "read": p.read, "dropped": p.dropped} for p in self.parts]


def as_sequences(samples: Sequence[Sample]) -> Sequences:
    """Samples as the in-memory arrays of train.data."""
    lengths = [len(sample) for sample in samples]
    kinds: dict[str, int] = {}
    numbers = [kinds.setdefault(sample.kind, len(kinds)) for sample in samples]
    return Sequences(
        np.concatenate([s.ids for s in samples]) if samples else np.zeros(0, np.int32),
        np.concatenate([s.answer for s in samples]) if samples else np.zeros(0, np.int16),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([s.weight for s in samples], np.float32),
        np.array(numbers, np.int16),
        tuple(kinds),
        0,
    )


def validation(parts: Sequence[Part], encoder: Encoder, limit: int) -> Sequences:
    """Held-out lines of all sources, by their weights; at most `limit` in all, found at the sources' beginnings."""
    weights = [part.config.weight for part in parts]
    lines = itertools.chain.from_iterable(
        part.held(max(1, round(limit * w / sum(weights))), round(4 * limit / part.val_share) + 1)
        for part, w in zip(parts, weights, strict=True)
        if part.val_share
    )
    return as_sequences(encoder.samples(list(lines)))
