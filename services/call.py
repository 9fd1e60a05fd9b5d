"""The call that this thread is answering: how long it may still take, and whether anybody still waits for it.

Deadlines propagate by it: a client asks `time_left` before it calls on, and `abandon` has its own call ended with ours.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import grpc

from hybrid_agent.errors import Cancelled
from services.status import OutOfTime

LEAST_S = 0.001


class Call:
    """One call under way on the server."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._then: list[Callable[[], None]] = []
        self._over = not context.add_callback(self._ended)

    @property
    def over(self) -> bool:
        """The caller is gone or its time is up."""
        return self._over

    def time_left(self) -> float | None:
        """Seconds to the caller's deadline; None if it has none."""
        left = self._context.time_remaining()
        return None if left is None or left > 1e6 else max(float(left), 0.0)

    def check(self) -> None:
        """Go on only if somebody waits for the answer.

        Raises:
            OutOfTime: the deadline has passed.
            Cancelled: the caller has gone.
        """
        left = self.time_left()
        if left is not None and left <= 0:
            raise OutOfTime("the deadline has passed")
        if self._over:
            raise Cancelled("the caller has gone")

    @contextlib.contextmanager
    def then(self, action: Callable[[], None]) -> Iterator[None]:
        """While inside, the end of the call (a cancellation, the deadline) does this; at once if it is over."""
        with self._lock:
            over = self._over
            if not over:
                self._then.append(action)
        if over:
            action()
        try:
            yield
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._then.remove(action)

    def _ended(self) -> None:
        with self._lock:
            self._over, then = True, list(self._then)
        for action in then:
            action()


_CURRENT: ContextVar[Call | None] = ContextVar("call", default=None)


def current_call() -> Call | None:
    """The call that this thread answers, if it answers one."""
    return _CURRENT.get()


@contextlib.contextmanager
def answering(context: grpc.ServicerContext) -> Iterator[Call]:
    """This thread answers the call of `context`."""
    call = Call(context)
    token = _CURRENT.set(call)
    try:
        yield call
    finally:
        _CURRENT.reset(token)


def time_for(wanted: float) -> float:
    """Seconds that a call onwards may take: what is wanted, but not more than our own caller waits."""
    call = current_call()
    left = call.time_left() if call else None
    return wanted if left is None else max(min(wanted, left), LEAST_S)
