"""A measured ratio: two things timed side by side, because machines are noisy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ratio:
    """`ours` and `other` are medians in milliseconds; `ratio` is ours / other unless the name says times faster."""

    name: str
    ours: float
    other: float
    ratio: float
    note: str


def take_turns(ours: Callable[[], Any], other: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median milliseconds of each side; the sides alternate, after one round to warm up."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for side, run in zip(times, (ours, other), strict=True):
            began = time.perf_counter()
            run()
            if turn:
                side.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times[0]), statistics.median(times[1])
