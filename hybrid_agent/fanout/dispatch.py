"""Who does what next: retries, dead workers, stragglers. It is the same for all kinds of workers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.fanout.work import Event, Item, Outcome, Value, Workers


@dataclass
class Dispatch(Generic[Item, Value]):
    """One round of work over some workers.

    Attributes:
        items: what is to be done.
        workers: who do it; `count` of them are kept alive while there is enough to do.
        config: retries and stragglers.
        again: whether a result is none (the machinery failed), so that the item is tried again.
        said: takes a line for people when something goes wrong.
    """

    items: Sequence[Item]
    workers: Workers
    count: int
    config: FanoutConfig
    again: Callable[[Value], bool]
    said: Callable[[str], None]
    _waiting: deque[int] = field(default_factory=deque)
    _open: set[int] = field(default_factory=set)  # without an outcome
    _tries: dict[int, int] = field(default_factory=dict)
    _busy: dict[int, tuple[int, float]] = field(default_factory=dict)  # worker: item, since when
    _places: dict[int, str] = field(default_factory=dict)  # ready workers
    _starting: set[int] = field(default_factory=set)
    _failed_on: dict[int, set[int]] = field(default_factory=dict)
    _stillborn: int = 0

    def outcomes(self) -> Iterator[Outcome[Item, Value]]:
        """All of them, as they come."""
        self._waiting.extend(range(len(self.items)))
        self._open.update(self._waiting)
        self._tries.update(dict.fromkeys(self._waiting, 0))
        while self._open:
            hopeless = self._stillborn > self.config.retries
            if hopeless and not self._places and not self._starting:
                yield from [self._lost(at, "worker processes die before they are ready") for at in sorted(self._open)]
                return
            while not hopeless and len(self._places) + len(self._starting) < self._useful():
                self._starting.add(self.workers.add())
            self._hand_out()
            for event in self.workers.wait(self._next_straggler()):
                outcome = self._take(event)
                if outcome is not None:
                    self._open.discard(outcome.at)
                    yield outcome

    def _useful(self) -> int:
        """How many workers there is something to do for."""
        copies = 1 if self.config.straggler_s is None else 2
        return min(self.count, len(self._open) * copies)

    def _idle(self) -> list[int]:
        return [worker for worker in self._places if worker not in self._busy]

    def _hand_out(self) -> None:
        for worker in self._idle():
            at = self._choose(worker)
            if at is None:
                return
            self._busy[worker] = (at, time.monotonic())
            self.workers.give(worker, self.items[at])

    def _choose(self, worker: int) -> int | None:
        """The next item that did not fail on this worker, else any that waits, else a straggler."""
        if self._waiting:
            fresh = (at for at in self._waiting if worker not in self._failed_on.get(at, ()))
            at = next(fresh, self._waiting[0])
            self._waiting.remove(at)
            self._tries[at] += 1
            return at
        due = [since_at for since_at in self._alone() if self._due(since_at[0]) <= 0]
        if not due:
            return None
        at = min(due)[1]
        self.said(f"item {at + 1} of {len(self.items)} takes long; a second worker tries it too")
        return at

    def _alone(self) -> list[tuple[float, int]]:
        """(since when, item) of open items that one worker has in hand."""
        held = [at for at, _ in self._busy.values()]
        return [(since, at) for at, since in self._busy.values() if at in self._open and held.count(at) == 1]

    def _due(self, since: float) -> float:
        """Seconds until it is a straggler."""
        limit = self.config.straggler_s
        return float("inf") if limit is None else since + limit - time.monotonic()

    def _next_straggler(self) -> float | None:
        if self.config.straggler_s is None or self._waiting or not self._idle():
            return None
        due = [self._due(since) for since, _ in self._alone()]
        return max(0.0, min(due)) if due else None

    def _take(self, event: Event) -> Outcome[Item, Value] | None:
        worker, place = event.worker, self._places.get(event.worker, "")
        at, _ = self._busy.pop(worker, (None, 0.0))
        if event.kind == "failed":
            raise event.value
        if event.kind == "ready":
            self._starting.discard(worker)
            self._places[worker], self._stillborn = event.value, 0
            return None
        if event.kind == "died":
            self._stillborn += worker in self._starting
            self._starting.discard(worker)
            self._places.pop(worker, None)
            self.said(f"the worker process {place or worker} died ({event.value})")
            return None if at is None else self._another_try(at, worker, f"the worker process died ({event.value})")
        if at is None or at not in self._open:
            return None  # the slower copy of a straggler
        if self.again(event.value) and self._tries[at] <= self.config.retries:
            return self._another_try(at, worker, "")
        return Outcome(at, self.items[at], event.value, None, self._tries[at], place)

    def _another_try(self, at: int, worker: int, why: str) -> Outcome[Item, Value] | None:
        self._failed_on.setdefault(at, set()).add(worker)
        if at not in self._open or any(other == at for other, _ in self._busy.values()):
            return None  # it has its result, or a copy of it goes on
        if self._tries[at] <= self.config.retries:
            self._waiting.append(at)
            return None
        return self._lost(at, f"{why}, {self._tries[at]} times" if self._tries[at] > 1 else why)

    def _lost(self, at: int, why: str) -> Outcome[Item, Value]:
        return Outcome(at, self.items[at], None, why, self._tries[at])


def no_result(value: Any) -> bool:
    """`again` of work whose every result counts."""
    return False
