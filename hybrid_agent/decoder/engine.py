"""The segment engine: K candidates over a shared prefix; tokens that must follow cost no forward pass of their own.

Candidates that have drawn the same tokens so far are one row: they part when they draw different ones.

The cache of the last call stays: a prompt that extends the last one (or what was written after it) only costs its
new tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.kv import Bias, KVModel, common
from hybrid_agent.decoder.live import current_live
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
            watch: told of each candidate (number and draft) as it ends; when it returns True those that are still
                being written are dropped. Candidates that end at the same step are all told.
            shift: float32 (vocab,), added to all logits before the mask.
            speculator: guesses ahead where there is one row; more than one are written without.

        Returns:
            the drafts that ended, by candidate; equal ones may be the same object.

        Raises:
            ValueError: the prompt leaves no room in the context.
            Abandoned: whoever looks on (`decoder.live`) does not want the rest.
        """
        if not 0 < len(prompt) < self.model.context:
            raise ValueError(f"a prompt of {len(prompt)} tokens does not fit a context of {self.model.context}")
        row = Row.first(how, constraint, self.end_id)
        begun = [*prompt, *row.pending]
        row.ended |= len(begun) > self.model.context
        open_rows, ended = [row], list[Row]()

        def stopped() -> bool:
            """Set aside what has ended and tell of it; True if the rest is not wanted."""
            new = [row for row in open_rows if row.ended]
            open_rows[:] = [row for row in open_rows if not row.ended]
            ended.extend(new)
            told = sorted((c.index, row.draft) for row in new for c in row.candidates)
            return any([watch is not None and watch(index, draft) for index, draft in told])  # all

        stop, live = stopped(), current_live()
        if open_rows and not stop:
            logits = self._begin(begun)
            open_rows += self._choose(open_rows, logits, bias, shift)
            stop = stopped()
        while not stop and (active := [row for row in open_rows if self._fits(row)]):
            for one in active:
                one.draft.forwards += 1
            if speculator is not None and how.k == 1:
                speculator.advance(self.model, row, self._texts[0], self.end_id, bias, shift)
            else:
                starts = [len(self._texts[row.index]) for row in active]
                logits = self.model.forward([row.index for row in active], [row.pending for row in active], starts)
                for one in active:
                    self._texts[one.index] += one.pending
                open_rows += self._choose(active, logits, bias, shift)
            stop = stopped()
            if live is not None:
                live.step(open_rows)
        if not stop:
            stopped()
        written = [(len(row.candidates), row.draft) for row in [*ended, *open_rows]]
        self.spent = (sum(n * len(d.tokens) for n, d in written), sum(n * d.forced for n, d in written))
        drafts = {c.index: row.draft for row in ended for c in row.candidates}
        return [drafts[index] for index in sorted(drafts)]

    def after(self, text: Sequence[int]) -> NDArray[np.float32]:
        """The logits (vocab,) of what follows a text (token ids)."""
        logits: NDArray[np.float32] = self._begin(list(text))[0].cpu().numpy()
        return logits

    def _begin(self, text: list[int]) -> torch.Tensor:
        """Bring the common beginning of all rows into row 0; logits (1, vocab) after it.

        The logits of the last beginning are kept, so that more candidates for it cost no forward of their own.
        """
        known = self._reuse(text)
        if len(known) < len(text):
            self._head = (text, self.model.forward([0], [text[len(known) :]], [len(known)]))
        self._texts[0] = list(text)
        return self._head[1]

    def _choose(self, rows: Sequence[Row], logits: torch.Tensor, bias: Bias | None, shift: Shift | None) -> list[Row]:
        """Draw the next token of each candidate; those that part from their row's first one get rows of their own,
        which are returned."""
        parted = []
        for row, scores in zip(list(rows), logits.cpu().numpy(), strict=True):
            for fork in row.draw(scores, bias, shift, self.end_id):
                self._share(row.index, fork.index)
                parted.append(fork)
        return parted

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

    def _share(self, source: int, target: int) -> None:
        """Give a cache row what another one holds; what it holds of it already is not copied."""
        text = self._texts[source]
        while len(self._texts) <= target:
            self._texts.append([])
        have = common(self._texts[target], text)
        if have < len(text):
            self.model.copy_row(source, [target], len(text), start=have)
        self._texts[target] = list(text)
