"""One scorer for many callers at once: requests that come together are scored in one forward pass."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from hybrid_agent.errors import Cancelled, InfraError, Overloaded
from hybrid_agent.scorer.calibration import Head
from hybrid_agent.scorer.energy import EnergyScorer, Judge, Prepared, Veto
from hybrid_agent.types import Score, Segment, ToolCall, Window

Energies = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class ScoreBatchOptions:
    """Limits of a batched scorer.

    Attributes:
        wait_ms: how long a batch waits, at most, for requests that other callers are getting ready.
        candidates: a batch of so many does not wait any longer, and is not made larger.
        waiting: requests that may wait; one more is refused.
        windows: whose part of the text is kept for the next calls.
    """

    wait_ms: float = 2.0
    candidates: int = 64
    waiting: int = 256
    windows: int = 32


@dataclass(eq=False)
class _Request:
    asked: Prepared
    cancel: Callable[[], bool] | None
    answer: SimpleQueue[Energies | BaseException] = field(default_factory=SimpleQueue)


class BatchedScorer:
    """Implements `hybrid_agent.protocols.Scorer`; may be called from many threads.

    Energies are those of the scorer alone: every text attends to itself only, and nothing is padded.

    Args:
        scorer: loaded; not to be used by anybody else from now on.
    """

    def __init__(self, scorer: EnergyScorer, options: ScoreBatchOptions | None = None) -> None:
        self.scorer, self.options = scorer, options or ScoreBatchOptions()
        if scorer.text is not None:
            scorer.text.keep(self.options.windows)
        self.batches = self.requests = 0  # how many were computed
        self._inbox: SimpleQueue[_Request | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._coming = self._waiting = 0  # requests being prepared; requests without an answer
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="batched scorer", daemon=True)
        self._thread.start()

    def score(
        self,
        window: Window,
        candidates: Sequence[Segment],
        *,
        judge: Judge | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Sequence[Score]:
        """See `protocols.Scorer`.

        Args:
            judge: the gate's answers of this caller's episode, instead of the scorer's own `judge`; called in the
                caller's thread.
            cancel: asked before the batch starts; True ends the request.

        Raises:
            hybrid_agent.errors.Overloaded: too many requests are waiting.
            hybrid_agent.errors.Cancelled: `cancel` said so.
            InfraError: closed.
        """
        if not candidates:
            return []
        with self._lock:
            if self._closed:
                raise InfraError("the scorer is closed")
            if self._waiting >= self.options.waiting:
                raise Overloaded(f"the scorer has {self._waiting} requests waiting; try again later")
            self._waiting += 1
            self._coming += 1
        try:
            answer = self._ask(window, candidates, judge, cancel).answer.get()
        finally:
            with self._lock:
                self._waiting -= 1
        if isinstance(answer, BaseException):
            raise answer
        return self.scorer.scores(candidates, answer)

    def head(self, call: str) -> Head:
        """The calibration that applies to a call."""
        return self.scorer.head(call)

    def veto(self, window: Window, call: Segment | ToolCall) -> Veto:
        """See `EnergyScorer.veto`."""
        return self.scorer.veto_by(self.score, window, call)

    def close(self) -> None:
        """End all requests (InfraError) and the thread behind them; idempotent."""
        with self._lock:
            self._closed = True
            self._inbox.put(None)
        self._thread.join()

    def __enter__(self) -> BatchedScorer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self, window: Window, candidates: Sequence[Segment], judge: Judge | None, cancel: Callable[[], bool] | None
    ) -> _Request:
        try:
            request = _Request(self.scorer.prepare(window, candidates, judge), cancel)
        except BaseException:
            with self._lock:
                self._coming -= 1
            raise
        with self._lock:
            self._coming -= 1
            if self._closed:
                raise InfraError("the scorer is closed")
            self._inbox.put(request)
        return request

    def _run(self) -> None:
        while not self._closed:
            requests = self._gather()
            if requests and not self._closed:
                self._compute(requests)
            elif requests:
                _fail(requests, InfraError("the scorer is closed"))
        with contextlib.suppress(Empty):
            while True:
                request = self._inbox.get_nowait()
                if request is not None:
                    _fail([request], InfraError("the scorer is closed"))

    def _gather(self) -> list[_Request]:
        """Wait for a request and take those that come with it."""
        first = self._inbox.get()
        if first is None:
            return []
        requests, size = [first], len(first.asked.domains)
        until = time.monotonic() + self.options.wait_ms / 1e3
        while size < self.options.candidates:
            left = until - time.monotonic()
            try:
                request = self._inbox.get(timeout=left) if self._coming and left > 0 else self._inbox.get_nowait()
            except Empty:
                if not self._coming or left <= 0:
                    break
                continue
            if request is None:
                break
            requests.append(request)
            size += len(request.asked.domains)
        return requests

    def _compute(self, requests: list[_Request]) -> None:
        wanted = []
        for request in requests:
            if request.cancel is not None and request.cancel():
                _fail([request], Cancelled("the scores were given up"))
            else:
                wanted.append(request)
        if not wanted:
            return
        try:
            found = self.scorer.energies_of([request.asked for request in wanted])
        except Exception as error:
            _fail(wanted, error)
            return
        self.batches, self.requests = self.batches + 1, self.requests + len(wanted)
        for request, energies in zip(wanted, found, strict=True):
            request.answer.put(energies)


def _fail(requests: Sequence[_Request], error: BaseException) -> None:
    for request in requests:
        request.answer.put(error)
