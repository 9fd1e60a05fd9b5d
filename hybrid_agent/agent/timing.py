"""Milliseconds spent in each part of a turn."""

from __future__ import annotations

import time


class timed:
    """Adds the milliseconds spent inside the block to `into[key]`."""

    def __init__(self, into: dict[str, float], key: str) -> None:
        self.into, self.key = into, key

    def __enter__(self) -> None:
        self.start = time.perf_counter()

    def __exit__(self, *exc: object) -> None:
        self.into[self.key] += (time.perf_counter() - self.start) * 1e3
