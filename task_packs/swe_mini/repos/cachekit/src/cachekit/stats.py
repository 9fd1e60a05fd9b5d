"""Counters of a cache."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Stats:
    """What happened to a cache since it was made or reset."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    expirations: int = 0

    @property
    def lookups(self) -> int:
        """Hits and misses."""
        return self.hits + self.misses

    @property
    def hit_rate(self) -> float:
        """Share of lookups that were hits; 0 before the first lookup."""
        if not self.lookups:
            return 0.0
        return self.hits / self.lookups

    def reset(self) -> None:
        """Start counting anew."""
        self.hits = 0
        self.misses = 0
        self.evictions = 0
        self.expirations = 0

    def __add__(self, other: Stats) -> Stats:
        return Stats(
            hits=self.hits + other.hits,
            misses=self.misses + other.misses,
            evictions=self.evictions + other.evictions,
            expirations=self.expirations + other.expirations,
        )

    def line(self) -> str:
        """One line for a log."""
        return f"{self.hits}/{self.lookups} hits ({self.hit_rate:.0%}), {self.evictions} evicted"
