"""One scorer for many callers at once: requests that come together are scored in one forward pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hybrid_agent.errors import InfraError
from hybrid_agent.scorer.calibration import Head
from hybrid_agent.scorer.energy import EnergyScorer, Judge
from hybrid_agent.types import Score, Segment, Window


@dataclass(frozen=True)
class ScoreBatchOptions:
    """Limits of a batched scorer.

    Attributes:
        wait_ms: how long a request waits for others.
        candidates: a batch of so many does not wait any longer.
        waiting: requests that may wait; one more is refused.
    """

    wait_ms: float = 2.0
    candidates: int = 32
    waiting: int = 256


class BatchedScorer:
    """Implements `hybrid_agent.protocols.Scorer`; may be called from many threads.

    Args:
        scorer: loaded; not to be used by anybody else from now on.
    """

    def __init__(self, scorer: EnergyScorer, options: ScoreBatchOptions | None = None) -> None:
        self.scorer, self.options = scorer, options or ScoreBatchOptions()
        self._lock = threading.Lock()
        self._closed = False

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
        with self._lock:
            if self._closed:
                raise InfraError("the scorer is closed")
            mine = self.scorer.judge
            self.scorer.judge = judge or mine
            try:
                return self.scorer.score(window, candidates)
            finally:
                self.scorer.judge = mine

    def head(self, call: str) -> Head:
        """The calibration that applies to a call."""
        return self.scorer.head(call)

    def close(self) -> None:
        """End all requests (InfraError) and the thread behind them; idempotent."""
        self._closed = True

    def __enter__(self) -> BatchedScorer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
