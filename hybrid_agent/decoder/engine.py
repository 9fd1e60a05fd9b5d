"""The segment engine: K rows over a shared prefix, tokens that must follow appended without a forward of their own.

The cache of the last call stays: a prompt that extends the last one (or what was written after it) only costs its
new tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.choose import Picked, pick

Bias = Callable[[Sequence[int]], Mapping[int, float]]


class KVModel(Protocol):
    """A model with a cache of rows (hybrid_agent.nn.lean, hybrid_agent.nn.rows)."""

    vocab_size: int
    context: int

    def forward(self, rows: Sequence[int], tokens: Sequence[Sequence[int]], starts: Sequence[int]) -> torch.Tensor:
        """Append tokens to rows at the given starts; logits (B, vocab) after the last token of each."""
        ...

    def copy_row(self, source: int, targets: Sequence[int], length: int, start: int = 0) -> None:
        """Copy cached positions start..length of one row to others."""
        ...


@dataclass
class Draft:
    """One text as it grows.

    Attributes:
        tokens: what was written, without the end token.
        logprob: sum over chosen tokens, under mask and bias, at temperature 1.
        forced: how many of `tokens` there was no choice about.
        forwards: forward passes that the row took part in after the prompt's.
        complete: the constraint is satisfied, or the end token was chosen.
    """

    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    forced: int = 0
    forwards: int = 0
    complete: bool = False


@dataclass
class Sampling:
    """How tokens are chosen: `temperature` 0 is greedy; row i draws from a generator seeded (seed, i). With
    `greedy_first`, row 0 of several is greedy."""

    k: int = 1
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int = 0
    greedy_first: bool = False


class _Row:
    """A draft with its matcher, and the tokens that the cache has not seen yet."""

    def __init__(self, index: int, matcher: Matcher | None, mask: np.ndarray | None, how: Sampling) -> None:
        self.index, self.matcher, self.mask = index, matcher, mask
        self.draft = Draft()
        self.pending: list[int] = []
        greedy = how.greedy_first and how.k > 1 and index == 0
        self.temperature = 0.0 if greedy else how.temperature
        self.rng = np.random.default_rng([how.seed & 0xFFFFFFFF, index])
        self.ended = False

    def take(self, picked: Picked, end_id: int, limit: int) -> None:
        """Append a chosen token and all that must follow it."""
        self.draft.logprob += picked.logprob
        if picked.token == end_id:
            self.ended = self.draft.complete = True
            return
        self.pending = [picked.token]
        self.draft.tokens.append(picked.token)
        if self.matcher is not None:
            self.matcher.advance(self.pending)
            self.follow(end_id)
        self.ended |= len(self.draft.tokens) >= limit

    def follow(self, end_id: int) -> None:
        """Append what there is no choice about; leaves the mask of the next choice, or ends."""
        matcher, mask = self.matcher, self.mask
        assert matcher is not None and mask is not None
        while True:
            if matcher.is_done():
                self.ended = self.draft.complete = True
                return
            forced = matcher.forced()
            if not forced:
                matcher.mask(mask)
                if int(np.bitwise_count(mask).sum()) != 1:
                    return
                word = int(np.flatnonzero(mask)[0])
                forced = [word * 32 + int(mask[word : word + 1].view(np.uint32)[0]).bit_length() - 1]
                if forced[0] == end_id:
                    self.ended = self.draft.complete = True
                    return
            matcher.advance(forced)
            self.pending += forced
            self.draft.tokens += forced
            self.draft.forced += len(forced)


class SegmentEngine:
    """Writes segments with one model. Not for use by several threads at once.

    Args:
        model: the model with its cache.
        end_id: the token that ends a text.
    """

    def __init__(self, model: KVModel, end_id: int) -> None:
        self.model, self.end_id = model, end_id
        self.reused = 0  # tokens of the last prompt that were in the cache
        self._texts: list[list[int]] = []  # what each cache row holds
        self._masks = np.zeros((0, 0), np.int32)

    def forget(self) -> None:
        """Drop the cache."""
        self._texts = []

    def write(
        self,
        prompt: Sequence[int],
        how: Sampling,
        constraint: Callable[[], Matcher] | None = None,
        bias: Bias | None = None,
    ) -> list[Draft]:
        """Continue `prompt` in `how.k` ways.

        Args:
            prompt: token ids, at least one.
            constraint: makes a matcher at the start of the text; None writes freely until the end token.
            bias: from the tokens written so far to what is added to logits (token -> value) before the mask.

        Raises:
            ValueError: the prompt leaves no room in the context.
        """
        if not 0 < len(prompt) < self.model.context:
            raise ValueError(f"a prompt of {len(prompt)} tokens does not fit a context of {self.model.context}")
        rows = self._rows(how, constraint)
        # All rows begin alike: the first computes prompt and forced beginning, the others copy its cache.
        first = rows[0]
        text = self._reuse(prompt)
        pending = list(prompt[len(text) :]) + first.pending
        if first.ended or len(prompt) + len(first.pending) > self.model.context:
            return [row.draft for row in rows]
        logits = self.model.forward([0], [pending], [len(text)])
        text += pending
        self._texts[0] = text
        self._share(len(rows))
        self._choose(rows, logits.expand(len(rows), -1), bias, how)
        while active := [row for row in rows if not row.ended]:
            active = [row for row in active if self._fits(row)]
            if not active:
                break
            starts = [len(self._texts[row.index]) for row in active]
            logits = self.model.forward([row.index for row in active], [row.pending for row in active], starts)
            for row in active:
                self._texts[row.index] += row.pending
                row.draft.forwards += 1
            self._choose(active, logits, bias, how)
        return [row.draft for row in rows]

    def _rows(self, how: Sampling, constraint: Callable[[], Matcher] | None) -> list[_Row]:
        first = constraint() if constraint else None
        if first is not None and self._masks.shape != (how.k, first.words):
            self._masks = np.zeros((how.k, first.words), np.int32)
        mask = self._masks[0] if first is not None else None
        rows = [_Row(0, first, mask, how)]
        if first is not None:
            rows[0].follow(self.end_id)
        for index in range(1, how.k):
            row = _Row(index, first.copy() if first else None, self._masks[index] if first else None, how)
            if row.mask is not None:
                row.mask[:] = self._masks[0]
            row.draft = Draft(list(rows[0].draft.tokens), forced=rows[0].draft.forced, complete=rows[0].draft.complete)
            row.ended = rows[0].ended
            rows.append(row)
        return rows

    def _choose(self, rows: Sequence[_Row], logits: torch.Tensor, bias: Bias | None, how: Sampling) -> None:
        values = logits.cpu().numpy()
        for row, scores in zip(rows, values, strict=True):
            extra = bias(row.draft.tokens) if bias is not None else None
            row.take(pick(scores, row.mask, extra, row.temperature, row.rng), self.end_id, how.max_tokens)

    def _fits(self, row: _Row) -> bool:
        """False ends a row whose text has filled the context."""
        row.ended = len(self._texts[row.index]) + len(row.pending) > self.model.context
        return not row.ended

    def _reuse(self, prompt: Sequence[int]) -> list[int]:
        """Bring the longest cached beginning of `prompt` into row 0; returns it (never the whole prompt)."""
        known = [min(_common(text, prompt), len(prompt) - 1) for text in self._texts]
        best = int(np.argmax(known)) if known else 0
        self.reused = known[best] if known else 0
        if best != 0 and self.reused > known[0]:
            self.model.copy_row(best, [0], self.reused, start=known[0])
        if not self._texts:
            self._texts = [[]]
        self._texts[0] = list(prompt[: self.reused])
        return list(self._texts[0])

    def _share(self, k: int) -> None:
        """Give rows 1..k-1 what row 0 holds; what they hold of it already is not copied."""
        text = self._texts[0]
        while len(self._texts) < k:
            self._texts.append([])
        for row in range(1, k):
            have = _common(self._texts[row], text)
            if have < len(text):
                self.model.copy_row(0, [row], len(text), start=have)
            self._texts[row] = list(text)


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the common beginning."""
    n = min(len(a), len(b))
    if a[:n] == b[:n]:
        return n
    return next(i for i in range(n) if a[i] != b[i])
