"""Cache whose entries live for a limited time."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

from cachekit.stats import Stats


class TTLCache:
    """Entries live for `ttl` seconds, or for as long as they were given when set.

    Args:
        ttl: seconds.
        clock: returns the time in seconds; for tests.
    """

    def __init__(self, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        if ttl <= 0:
            raise ValueError("ttl must be positive")
        self.ttl = ttl
        self.stats = Stats()
        self._clock = clock
        self._values: dict[Hashable, Any] = {}
        self._ends: dict[Hashable, float] = {}

    def __len__(self) -> int:
        self.purge()
        return len(self._values)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values and not self._over(key)

    def set(self, key: Hashable, value: Any, ttl: float | None = None) -> None:
        """Store a value; its time starts now, also if the key was there before."""
        self._values[key] = value
        self._ends[key] = self._clock() + (self.ttl if ttl is None else ttl)

    def get(self, key: Hashable, default: Any = None) -> Any:
        """The value of a key that still lives."""
        if key in self._values and self._over(key):
            self._drop(key)
            self.stats.expirations += 1
        if key not in self._values:
            self.stats.misses += 1
            return default
        self.stats.hits += 1
        return self._values[key]

    def touch(self, key: Hashable, ttl: float | None = None) -> bool:
        """Start the time of a living key anew; False if there is none."""
        if key not in self:
            return False
        self._ends[key] = self._clock() + (self.ttl if ttl is None else ttl)
        return True

    def remaining(self, key: Hashable) -> float:
        """Seconds that a key still lives; 0 if it does not."""
        if key not in self:
            return 0.0
        return self._ends[key] - self._clock()

    def delete(self, key: Hashable) -> bool:
        """Remove a key; False if it did not live."""
        alive = key in self
        if key in self._values:
            self._drop(key)
        return alive

    def purge(self) -> int:
        """Remove what is over and say how many entries that were."""
        over = [key for key in self._values if self._over(key)]
        for key in over:
            self._drop(key)
        self.stats.expirations += len(over)
        return len(over)

    def _over(self, key: Hashable) -> bool:
        return self._clock() >= self._ends[key]

    def _drop(self, key: Hashable) -> None:
        del self._values[key]
        del self._ends[key]
