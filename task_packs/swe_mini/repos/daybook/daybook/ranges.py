"""Ranges of dates, both ends included. A range without an end goes on for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from daybook.dates import DAY


@dataclass(frozen=True)
class DateRange:
    """All days from `start` to `end`."""

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"{self.end} comes before {self.start}")

    def __contains__(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day <= self.end)

    def __iter__(self) -> Iterator[date]:
        day = self.start
        while self.end is None or day <= self.end:
            yield day
            day += DAY

    def __len__(self) -> int:
        return self.days

    @property
    def days(self) -> int:
        """Number of days.

        Raises:
            ValueError: the range has no end.
        """
        if self.end is None:
            raise ValueError("a range without an end has no length")
        return (self.end - self.start).days + 1

    def overlaps(self, other: DateRange) -> bool:
        """True if some day is in both."""
        mine = self.end is None or other.start <= self.end
        theirs = other.end is None or self.start <= other.end
        return mine and theirs

    def intersection(self, other: DateRange) -> DateRange | None:
        """The days in both, or None."""
        if not self.overlaps(other):
            return None
        ends = [end for end in (self.end, other.end) if end is not None]
        return DateRange(max(self.start, other.start), min(ends) if ends else None)

    def before(self, other: DateRange) -> bool:
        """True if all of this range comes before the other."""
        return self.end is not None and self.end < other.start

    def shift(self, days: int) -> DateRange:
        """The range so many days later."""
        move = days * DAY
        return DateRange(self.start + move, None if self.end is None else self.end + move)

    def split(self, size: int) -> list[DateRange]:
        """Ranges of `size` days; the last one may be shorter."""
        if size < 1:
            raise ValueError("size must be at least 1")
        if self.end is None:
            raise ValueError("a range without an end cannot be split")
        parts = []
        start = self.start
        while start <= self.end:
            parts.append(DateRange(start, min(start + (size - 1) * DAY, self.end)))
            start += size * DAY
        return parts


def merge_ranges(ranges: Iterable[DateRange]) -> list[DateRange]:
    """The same days as ranges that neither overlap nor follow each other directly, in order."""
    merged: list[DateRange] = []
    for each in sorted(ranges, key=lambda r: r.start):
        last = merged[-1] if merged else None
        if last is None or (last.end is not None and each.start > last.end + DAY):
            merged.append(each)
        elif last.end is None or each.end is None:
            merged[-1] = DateRange(last.start, None)
        else:
            merged[-1] = DateRange(last.start, max(last.end, each.end))
    return merged


def gaps(ranges: Iterable[DateRange]) -> list[DateRange]:
    """The days between ranges."""
    merged = merge_ranges(ranges)
    found = []
    for one, other in pairwise(merged):
        assert one.end is not None
        found.append(DateRange(one.end + DAY, other.start - DAY))
    return found
