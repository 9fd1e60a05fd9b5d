"""Which of many spans to take, and how many rooms they need."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from spanlib.span import Span


def largest_subset(spans: Iterable[Span]) -> list[Span]:
    """As many spans as possible of which no two overlap, in order."""
    taken: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.end, s.start)):
        if not taken or span.start >= taken[-1].end:
            taken.append(span)
    return taken


def best_weight(items: Sequence[tuple[Span, float]]) -> tuple[float, list[Span]]:
    """The heaviest choice of spans of which no two overlap: its weight and its spans, in order."""
    ordered = sorted(items, key=lambda item: item[0].end)
    ends = [span.end for span, _ in ordered]
    best = [0.0]
    for index, (span, weight) in enumerate(ordered):
        before = bisect_right(ends, span.start, 0, index)
        best.append(max(best[index], best[before] + weight))
    chosen = []
    index = len(ordered)
    while index > 0:
        if best[index] == best[index - 1]:
            index -= 1
            continue
        span = ordered[index - 1][0]
        chosen.append(span)
        index = bisect_right(ends, span.start, 0, index - 1)
    return best[-1], chosen[::-1]


def rooms_needed(spans: Iterable[Span]) -> int:
    """The greatest number of spans that run at the same time."""
    events = []
    for span in spans:
        events.append((span.start, 1))
        events.append((span.end, -1))
    most = now = 0
    for _, change in sorted(events):
        now += change
        most = max(most, now)
    return most


def assign_rooms(spans: Iterable[Span]) -> dict[Span, int]:
    """A room number (from 0) for every span; a freed room with the lowest number is used first."""
    rooms: dict[Span, int] = {}
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    opened = 0
    for span in sorted(spans):
        while busy and busy[0][0] <= span.start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            room = heapq.heappop(free)
        else:
            room = opened
            opened += 1
        rooms[span] = room
        heapq.heappush(busy, (span.end, room))
    return rooms
