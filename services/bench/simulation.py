"""A discrete-event simulation of replicas ("cells") of the served agent. What it prints is computed, never measured.

A cell has some cores. An episode belongs to one cell, by the hash of its shard; its turns follow one another, and each
turn passes through the parts in order: plan, decode, score, gate, tool. A part holds one core of the cell for its
time, first come first served; with a shared decoder, `decode` waits for a slot of a pool that serves all cells. Between
turns nothing else happens: no network, no disk, no person who thinks.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PARTS = ("plan", "decode", "score", "gate", "tool")
Turn = tuple[float, ...]  # seconds of each of PARTS
Episode = Sequence[Turn]


@dataclass(frozen=True)
class Shape:
    """What is simulated. `decoder_slots` 0: each cell decodes on its own cores; else a pool that all cells share."""

    cells: int
    cores: int = 2
    decoder_slots: int = 0


@dataclass(frozen=True)
class Outcome:
    """Episodes that ended, seconds each took from its arrival, the time the last ended, share of core time used."""

    times: tuple[float, ...]
    makespan: float
    busy: float

    def quantile(self, q: float) -> float:
        """Seconds within which a share q of episodes ended."""
        ordered = sorted(self.times)
        return ordered[min(int(q * len(ordered)), len(ordered) - 1)]


class _Station:
    """Some equal servers and one queue, first come first served."""

    def __init__(self, servers: int) -> None:
        self.free, self.waiting, self.busy_s = servers, deque[tuple[float, Callable[[], None]]](), 0.0


class Simulation:
    """One run of it.

    Args:
        shape: cells, cores and decoder.
        seed: of the hash that places episodes on cells.
    """

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        self.shape = shape
        self._cells = [_Station(shape.cores) for _ in range(shape.cells)]
        self._pool = _Station(shape.decoder_slots) if shape.decoder_slots else None
        self._place = random.Random(seed)
        self._now = 0.0
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._times: list[float] = []

    def open(self, arrivals: Sequence[tuple[float, Episode]]) -> Outcome:
        """Episodes that come at given times, whatever is going on."""
        for at, episode in arrivals:
            self._at(at, self._begin(episode, lambda: None))
        return self._run()

    def closed(self, episodes: Sequence[Episode], sessions: int) -> Outcome:
        """A fixed number of sessions, each starting its next episode when one has ended."""
        left = iter(episodes)

        def next_one() -> None:
            episode = next(left, None)
            if episode is not None:
                self._begin(episode, next_one)()

        for _ in range(sessions):
            self._at(0.0, next_one)
        return self._run()

    def _begin(self, episode: Episode, then: Callable[[], None]) -> Callable[[], None]:
        cell = self._place.choice(self._cells)
        work = [
            (self._station(cell, part), seconds) for turn in episode for part, seconds in zip(PARTS, turn, strict=True)
        ]

        def start() -> None:
            arrived, steps = self._now, iter(work)

            def step() -> None:
                for station, seconds in steps:
                    if seconds > 0:
                        self._ask(station, seconds, step)
                        return
                self._times.append(self._now - arrived)
                then()

            step()

        return start

    def _station(self, cell: _Station, part: str) -> _Station:
        return self._pool if part == "decode" and self._pool is not None else cell

    def _ask(self, station: _Station, seconds: float, then: Callable[[], None]) -> None:
        if station.free:
            station.free -= 1
            self._serve(station, seconds, then)
        else:
            station.waiting.append((seconds, then))

    def _serve(self, station: _Station, seconds: float, then: Callable[[], None]) -> None:
        station.busy_s += seconds

        def done() -> None:
            if station.waiting:
                self._serve(station, *station.waiting.popleft())
            else:
                station.free += 1
            then()

        self._at(self._now + seconds, done)

    def _at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), what))

    def _run(self) -> Outcome:
        while self._events:
            self._now, _, what = heapq.heappop(self._events)
            what()
        busy = sum(cell.busy_s for cell in self._cells)
        return Outcome(tuple(self._times), self._now, busy / (len(self._cells) * self.shape.cores * self._now or 1.0))
