"""The segment engine: K rows over a shared prefix, tokens that must follow appended without a forward of their own.

The cache of the last call stays: a prompt that extends the last one (or what was written after it) only costs its
new tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.choose import pick
from hybrid_agent.decoder.kv import Bias, KVModel, common
from hybrid_agent.decoder.row import Draft, Row, Sampling
from hybrid_agent.decoder.speculate import Shift, Speculator

__all__ = ["Bias", "Draft", "KVModel", "Sampling", "SegmentEngine", "Watch"]

Watch = Callable[[int, Draft], bool]


class SegmentEngine:
    """Writes segments with one model. Not for use by several threads at once.

    Args:
        model: the model with its cache.
        end_id: the token that ends a text.
    """

    def __init__(self, model: KVModel, end_id: int) -> None:
        self.model, self.end_id = model, end_id
        self.reused = 0  # tokens of the last prompt that were in the cache
        self.spent = (0, 0)  # tokens of all rows of the last call, dropped ones too; how many of them were forced
        self._texts: list[list[int]] = []  # what each cache row holds
        self._head: tuple[list[int], torch.Tensor] = ([], torch.empty(0))  # the last beginning and what follows it
        self._masks = np.zeros((0, 0), np.int32)

    def forget(self) -> None:
        """Drop the cache."""
        self._texts, self._head = [], ([], torch.empty(0))

    def write(
        self,
        prompt: Sequence[int],
        how: Sampling,
        constraint: Callable[[], Matcher] | None = None,
        bias: Bias | None = None,
        watch: Watch | None = None,
        shift: Shift | None = None,
        speculator: Speculator | None = None,
    ) -> list[Draft]:
        """Continue `prompt` in `how.k` ways.

        Args:
            prompt: token ids, at least one.
            constraint: makes a matcher at the start of the text; None writes freely until the end token.
            bias: from the tokens written so far to what is added to logits (token -> value) before the mask.
            watch: told of each row (number and draft) as it ends; when it returns True the rows that are still
                being written are dropped. Rows that end at the same step are all told.
            shift: float32 (vocab,), added to all logits before the mask.
            speculator: guesses ahead where there is one row; more than one are written without.

        Returns:
            the drafts that ended, by row.

        Raises:
            ValueError: the prompt leaves no room in the context.
        """
        if not 0 < len(prompt) < self.model.context:
            raise ValueError(f"a prompt of {len(prompt)} tokens does not fit a context of {self.model.context}")
        rows = self._rows(how, constraint)
        begun = [*prompt, *rows[0].pending]
        if len(begun) > self.model.context:
            for row in rows:
                row.ended = True
        untold = list(rows)

        def stopped() -> bool:
            answers = [watch is not None and watch(row.index, row.draft) for row in untold if row.ended]
            untold[:] = [row for row in untold if not row.ended]
            return any(answers)

        stop = stopped()
        if untold and not stop:
            logits = self._begin(begun)
            self._share(len(rows))
            self._choose(rows, logits.expand(len(rows), -1), bias, shift)
            stop = stopped()
        while not stop and (active := [row for row in untold if self._fits(row)]):
            if speculator is not None and how.k == 1:
                speculator.advance(self.model, rows[0], self._texts[0], self.end_id, bias, shift)
            else:
                starts = [len(self._texts[row.index]) for row in active]
                logits = self.model.forward([row.index for row in active], [row.pending for row in active], starts)
                for row in active:
                    self._texts[row.index] += row.pending
                self._choose(active, logits, bias, shift)
            for row in active:
                row.draft.forwards += 1
            stop = stopped()
        if not stop:
            stopped()
        self.spent = (sum(len(row.draft.tokens) for row in rows), sum(row.draft.forced for row in rows))
        return [row.draft for row in rows if row.ended]

    def _rows(self, how: Sampling, constraint: Callable[[], Matcher] | None) -> list[Row]:
        first = constraint() if constraint else None
        if first is None:
            return [Row(index, None, None, how) for index in range(how.k)]
        if self._masks.shape != (how.k, first.words):
            self._masks = np.zeros((how.k, first.words), np.int32)
        rows = [Row(0, first, self._masks[0], how)]
        rows[0].follow(self.end_id)
        self._masks[1:] = self._masks[0]
        return rows + [Row(i, first.copy(), self._masks[i], how, rows[0].draft) for i in range(1, how.k)]

    def _begin(self, text: list[int]) -> torch.Tensor:
        """Bring the common beginning of all rows into row 0; logits (1, vocab) after it.

        The logits of the last beginning are kept, so that more candidates for it cost no forward of their own.
        """
        known = self._reuse(text)
        if len(known) < len(text):
            self._head = (text, self.model.forward([0], [text[len(known) :]], [len(known)]))
        self._texts[0] = list(text)
        return self._head[1]

    def _choose(self, rows: Sequence[Row], logits: torch.Tensor, bias: Bias | None, shift: Shift | None) -> None:
        values = logits.cpu().numpy()
        for row, scores in zip(rows, values, strict=True):
            extra = bias(row.draft.tokens) if bias is not None else None
            row.take(pick(scores, row.mask, extra, row.temperature, row.rng, shift), self.end_id)

    def _fits(self, row: Row) -> bool:
        """False ends a row whose text has filled the context."""
        row.ended = len(self._texts[row.index]) + len(row.pending) > self.model.context
        return not row.ended

    def _reuse(self, prompt: list[int]) -> list[int]:
        """Bring the longest cached beginning of `prompt` into row 0; returns it.

        It is the whole only if the logits after it are known too.
        """
        most = len(prompt) - (prompt != self._head[0])
        known = [min(common(text, prompt), most) for text in self._texts]
        best = int(np.argmax(known)) if known else 0
        self.reused = known[best] if known else 0
        if best != 0 and self.reused > known[0]:
            self.model.copy_row(best, [0], self.reused, start=known[0])
        if not self._texts:
            self._texts = [[]]
        self._texts[0] = prompt[: self.reused]
        return self._texts[0]

    def _share(self, k: int) -> None:
        """Give rows 1..k-1 what row 0 holds; what they hold of it already is not copied."""
        text = self._texts[0]
        while len(self._texts) < k:
            self._texts.append([])
        for row in range(1, k):
            have = common(self._texts[row], text)
            if have < len(text):
                self.model.copy_row(0, [row], len(text), start=have)
            self._texts[row] = list(text)
