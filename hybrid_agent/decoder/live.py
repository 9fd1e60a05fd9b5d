"""Looking at a segment while it is written, and giving it up: for callers that are shown progress, or may go away.

`with watched(live):` around a decoder's call; engines ask `current_live` when they begin to write and call its `step`
after each forward pass.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar

from hybrid_agent.decoder.row import Row
from hybrid_agent.errors import InfraError

EVERY = 40  # tokens between two looks at the same candidate


class Abandoned(InfraError):
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
        if self._over():
            raise Abandoned("the segment was given up")
        if self._partial is None:
            return
        for row in rows:
            written = len(row.draft.tokens)
            if written - self._told.get(row.index, 0) >= self._every:
                self._told[row.index] = written
                self._partial(row.index, list(row.draft.tokens))


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
