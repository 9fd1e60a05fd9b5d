"""One span of minutes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Span:
    """Minutes from `start` up to, but not including, `end`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"a span must not be empty: {self.start}..{self.end}")

    @property
    def length(self) -> int:
        """Minutes in the span."""
        return self.end - self.start

    def __contains__(self, minute: int) -> bool:
        return self.start <= minute < self.end

    def covers(self, other: Span) -> bool:
        """True if all of `other` lies within this span."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """True if the two have at least one minute in common."""
        return self.start < other.end and other.start < self.end

    def touches(self, other: Span) -> bool:
        """True if one begins exactly where the other ends."""
        return self.end == other.start or other.end == self.start

    def intersection(self, other: Span) -> Span | None:
        """The common part, or None."""
        start = max(self.start, other.start)
        end = min(self.end, other.end)
        if start >= end:
            return None
        return Span(start, end)

    def hull(self, other: Span) -> Span:
        """The smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def shift(self, minutes: int) -> Span:
        """The same span, later (or earlier, if negative)."""
        return Span(self.start + minutes, self.end + minutes)

    def split(self, minute: int) -> tuple[Span, Span]:
        """The parts before and from `minute` on.

        Raises:
            ValueError: one of the parts would be empty.
        """
        if not self.start < minute < self.end:
            raise ValueError(f"{minute} does not lie inside {self.start}..{self.end}")
        return Span(self.start, minute), Span(minute, self.end)

    def chunks(self, size: int) -> list[Span]:
        """Pieces of `size` minutes; the last one may be shorter."""
        if size <= 0:
            raise ValueError("size must be positive")
        return [Span(at, min(at + size, self.end)) for at in range(self.start, self.end, size)]
