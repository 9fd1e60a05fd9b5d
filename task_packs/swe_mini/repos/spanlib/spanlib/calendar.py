"""Bookings of several people on one day."""

from __future__ import annotations

from dataclasses import dataclass, field

from spanlib.span import Span
from spanlib.spanset import SpanSet


class ConflictError(Exception):
    """The owner is already busy at that time."""


@dataclass(frozen=True)
class Booking:
    """One owner's span."""

    owner: str
    span: Span
    title: str = field(default="busy", compare=False)


class Calendar:
    """Each owner's bookings never overlap; those of different owners may."""

    def __init__(self) -> None:
        self._bookings: dict[str, list[Booking]] = {}

    def book(self, owner: str, span: Span, title: str = "busy") -> Booking:
        """Add a booking.

        Raises:
            ConflictError: the owner has an overlapping one.
        """
        mine = self._bookings.setdefault(owner, [])
        for other in mine:
            if other.span.overlaps(span):
                raise ConflictError(f"{owner} has {other.title!r} at that time")
        booking = Booking(owner, span, title)
        mine.append(booking)
        mine.sort(key=lambda each: each.span)
        return booking

    def cancel(self, booking: Booking) -> None:
        """Remove a booking.

        Raises:
            KeyError: it is not in the calendar.
        """
        mine = self._bookings.get(booking.owner, [])
        if booking not in mine:
            raise KeyError(booking)
        mine.remove(booking)
        if not mine:
            del self._bookings[booking.owner]

    def owners(self) -> list[str]:
        """Everyone who has a booking, sorted."""
        return sorted(self._bookings)

    def bookings(self, owner: str | None = None) -> list[Booking]:
        """The bookings of one owner, or all, by time."""
        if owner is not None:
            return list(self._bookings.get(owner, []))
        everyone = [each for mine in self._bookings.values() for each in mine]
        return sorted(everyone, key=lambda each: (each.span, each.owner))

    def busy(self, owner: str | None = None) -> SpanSet:
        """When the owner, or anyone at all, is busy."""
        return SpanSet(each.span for each in self.bookings(owner))

    def free_slots(self, day: Span, at_least: int = 1, owner: str | None = None) -> list[Span]:
        """Gaps of `day` with at least so many minutes."""
        gaps = self.busy(owner).complement(day)
        return [gap for gap in gaps if gap.length >= at_least]

    def next_free(self, after: int, length: int, owner: str | None = None) -> Span:
        """The first span of `length` minutes from `after` on in which nobody (or not the owner) is busy."""
        start = after
        for booking in self.bookings(owner):
            if booking.span.start - start >= length:
                break
            start = max(start, booking.span.end)
        return Span(start, start + length)

    def load(self) -> dict[str, int]:
        """Booked minutes of each owner."""
        return {owner: sum(each.span.length for each in mine) for owner, mine in self._bookings.items()}
