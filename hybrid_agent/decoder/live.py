"""Looking at a segment while it is written, and giving it up: for callers that are shown progress, or may go away.

`with watched(live):` around a decoder's call; engines ask `current_live` when they begin to write and call its `step`
after each forward pass.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar

from hybrid_agent.decoder.row import Row
from hybrid_agent.errors import Cancelled

EVERY = 40  # tokens between two looks at the same candidate


class Abandoned(Cancelled):
    """Nobody wants the segment any more."""


class Live:
    """What to do between two forward passes.

    Args:
        over: True once nobody wants the segment.
        partial: told of a candidate's number and all its tokens so far, every `every` tokens.
        every: tokens.
    """

    def __init__(
        self,
        over: Callable[[], bool],
        partial: Callable[[int, Sequence[int]], None] | None = None,
        every: int = EVERY,
    ) -> None:
        self._over, self._partial, self._every = over, partial, every
        self._told: dict[int, int] = {}

    def step(self, rows: Sequence[Row]) -> None:
        """Look at the rows that are being written.

        Raises:
            Abandoned: nobody wants them any more.
        """
        if self.over():
            raise Abandoned("the segment was given up")
        for number, tokens in self.due(rows):
            self.tell(number, tokens)

    def over(self) -> bool:
        """True once nobody wants the segment; may be asked in any thread."""
        return self._over()

    def due(self, rows: Sequence[Row]) -> list[tuple[int, list[int]]]:
        """What `tell` is to be told now."""
        if self._partial is None:
            return []
        found = []
        for row in rows:
            written = len(row.draft.tokens)
            if written - self._told.get(row.index, 0) >= self._every:
                self._told[row.index] = written
                found.append((row.index, list(row.draft.tokens)))
        return found

    def tell(self, number: int, tokens: Sequence[int]) -> None:
        """Tell of an unfinished candidate."""
        if self._partial is not None:
            self._partial(number, tokens)


_CURRENT: ContextVar[Live | None] = ContextVar("live", default=None)


def current_live() -> Live | None:
    """Who looks at what this thread writes, if anybody."""
    return _CURRENT.get()


@contextlib.contextmanager
def watched(live: Live) -> Iterator[None]:
    """What this thread writes inside is looked at."""
    token = _CURRENT.set(live)
    try:
        yield
    finally:
        _CURRENT.reset(token)
