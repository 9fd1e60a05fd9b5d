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


class Writing:
    """The rows of one call: those still open and those that have ended, and who is told of them."""

    def __init__(self, rows: Sequence[Row], watch: Watch | None) -> None:
        self.open, self.ended, self.watch = list(rows), list[Row](), watch
        self.stop = False
        self.look()

    def look(self) -> None:
        """Set aside what has ended and tell of it; `stop` is then True if the rest is not wanted."""
        new = [row for row in self.open if row.ended]
        self.open[:] = [row for row in self.open if not row.ended]
        self.ended.extend(new)
        told = sorted(((c.index, row.draft) for row in new for c in row.candidates), key=lambda end: end[0])
        self.stop |= any([self.watch is not None and self.watch(*one) for one in told])  # all of them

    def spent(self) -> tuple[int, int]:
        """Tokens of all rows, and how many of them were forced."""
        written = [(len(row.candidates), row.draft) for row in [*self.ended, *self.open]]
        return sum(n * len(d.tokens) for n, d in written), sum(n * d.forced for n, d in written)

    def drafts(self) -> list[Draft]:
        """Those that ended, by candidate."""
        found = {c.index: row.draft for row in self.ended for c in row.candidates}
        return [found[index] for index in sorted(found)]


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
        self._check(prompt)
        row = Row.first(how, constraint, self.end_id)
        begun = [*prompt, *row.pending]
        row.ended |= len(begun) > self.model.context
        writing = Writing([row], watch)
        if writing.open and not writing.stop:
            logits = self._begin(begun)
            writing.open += self._choose(writing.open, logits, bias, shift)
            writing.look()
        return self._write(writing, bias, shift, speculator if how.k == 1 else None)

    def go_on(
        self,
        prompt: Sequence[int],
        how: Sampling,
        begun: Sequence[Draft],
        constraint: Callable[[], Matcher],
        bias: Bias | None = None,
        watch: Watch | None = None,
        shift: Shift | None = None,
    ) -> list[Draft]:
        """Write begun texts to their end, all at once; arguments, returns and errors of `write`, with one candidate for
        each of `begun` in place of `how.k`.
        """
        self._check(prompt)
        rows = [Row.going_on(index, how, draft, constraint, self.end_id) for index, draft in enumerate(begun)]
        writing = Writing(rows, watch)
        known = list(self._begun(list(prompt)))
        # The first row goes last: it holds what the others take over.
        for row in reversed(writing.open):
            text = [*prompt, *row.draft.tokens]
            self._take_over(row.index, known, text[:-1])
            row.pending = text[len(self._texts[row.index]) :]
        return self._write(writing, bias, shift, None)

    def _check(self, prompt: Sequence[int]) -> None:
        if not 0 < len(prompt) < self.model.context:
            raise ValueError(f"a prompt of {len(prompt)} tokens does not fit a context of {self.model.context}")

    def _write(
        self, writing: Writing, bias: Bias | None, shift: Shift | None, speculator: Speculator | None
    ) -> list[Draft]:
        """Bring all rows to their end."""
        live = current_live()
        while not writing.stop and (active := [row for row in writing.open if self._fits(row)]):
            for one in active:
                one.draft.forwards += 1
            if speculator is not None:
                row = active[0]
                speculator.advance(self.model, row, self._texts[0], self.end_id, bias, shift)
            else:
                starts = [len(self._texts[row.index]) for row in active]
                logits = self.model.forward([row.index for row in active], [row.pending for row in active], starts)
                for one in active:
                    self._texts[one.index] += one.pending
                writing.open += self._choose(active, logits, bias, shift)
            writing.look()
            if live is not None:
                live.step(writing.open)
        if not writing.stop:
            writing.look()
        self.spent = writing.spent()
        return writing.drafts()

    def after(self, text: Sequence[int]) -> NDArray[np.float32]:
        """The logits (vocab,) of what follows a text (token ids)."""
        logits: NDArray[np.float32] = self._begin(list(text))[0].cpu().numpy()
        return logits

    def along(self, prompt: Sequence[int], text: Sequence[int]) -> NDArray[np.float32]:
        """The logits (len(text), vocab) before each token of a text that continues a prompt."""
        self._check([*prompt, *text[:-1]])
        logits = [self._begin(list(prompt))]
        if len(text) > 1:
            logits.append(self.model.forward_all(0, text[:-1], len(prompt)))
            self._texts[0] = [*prompt, *text[:-1]]
        found: NDArray[np.float32] = torch.cat(logits)[: len(text)].cpu().numpy()
        return found

    def _begun(self, prompt: list[int]) -> list[int]:
        """Bring a prompt into row 0, if it is not there, and keep what lies behind it. Returns what the row holds."""
        if not self._texts or common(self._texts[0], prompt) < len(prompt):
            self._begin(prompt)
        return self._texts[0]

    def _take_over(self, target: int, known: list[int], text: list[int]) -> None:
        """Leave in a cache row the longest beginning of `text` that is in it, or in row 0, which holds `known`."""
        while len(self._texts) <= target:
            self._texts.append([])
        have, there = common(self._texts[target], text), common(known, text)
        if target and have < there:
            self.model.copy_row(0, [target], there, start=have)
        self._texts[target] = text[: max(have, there)]

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
