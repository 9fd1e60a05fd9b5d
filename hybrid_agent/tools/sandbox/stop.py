"""Ending running calls from outside: when the caller of a tool goes away, its process must go too.

`with stoppable() as stop:` runs calls; any other thread may `stop.set()`, and whatever process a sandbox runs for this
thread is killed at once, as is everything that it would start afterwards.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from contextvars import ContextVar

CANCELLED = "cancelled"  # what `Completed.killed_by` says then


class Stop:
    """Set once, from any thread; a descriptor that is readable from then on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._set = False

    @property
    def is_set(self) -> bool:
        """Has it been set?"""
        return self._set

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._fd

    def set(self) -> None:
        """Stop what runs; again, or after the end, nothing happens."""
        with self._lock:
            if not self._set and self._fd >= 0:
                os.eventfd_write(self._fd, 1)
            self._set = True

    def close(self) -> None:
        """Free the descriptor."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1


_CURRENT: ContextVar[Stop | None] = ContextVar("stop", default=None)


def current_stop() -> Stop | None:
    """What may stop the calls of this thread, if anything."""
    return _CURRENT.get()


@contextlib.contextmanager
def stoppable() -> Iterator[Stop]:
    """Calls of this thread inside can be stopped by what is yielded."""
    stop = Stop()
    token = _CURRENT.set(stop)
    try:
        yield stop
    finally:
        _CURRENT.reset(token)
        stop.close()
