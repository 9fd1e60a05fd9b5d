"""Who is on duty, when."""

from __future__ import annotations

from collections import Counter
from datetime import date

from daybook.ranges import DateRange, gaps, merge_ranges


class Roster:
    """Duties of people; nobody has two at a time."""

    def __init__(self) -> None:
        self._duties: dict[str, list[DateRange]] = {}

    def assign(self, person: str, span: DateRange) -> None:
        """Give someone a duty.

        Raises:
            ValueError: the person has one on some of those days.
        """
        mine = self._duties.setdefault(person, [])
        for other in mine:
            if other.overlaps(span):
                raise ValueError(f"{person} is already on duty from {other.start}")
        mine.append(span)

    def on_duty(self, day: date) -> list[str]:
        """Everyone on duty on a day, sorted."""
        return sorted(person for person, mine in self._duties.items() if any(day in span for span in mine))

    def swap(self, one: str, other: str) -> None:
        """Exchange all duties of two people."""
        first = self._duties.get(one, [])
        second = self._duties.get(other, [])
        self._duties[one], self._duties[other] = second, first

    def covered(self) -> list[DateRange]:
        """When someone is on duty."""
        return merge_ranges(span for mine in self._duties.values() for span in mine)

    def uncovered(self, within: DateRange) -> list[DateRange]:
        """The days of a range on which nobody is on duty."""
        return [
            DateRange(day.start, day.end)
            for day in merge_ranges(DateRange(d, d) for d in within if not self.on_duty(d))
        ]

    def holes(self) -> list[DateRange]:
        """Days without anyone between the first and the last duty."""
        return gaps(self.covered())

    def load(self, within: DateRange) -> Counter[str]:
        """Days on duty of each person within a range; people without any are left out."""
        found: Counter[str] = Counter()
        for person, mine in self._duties.items():
            for span in mine:
                common = span.intersection(within)
                if common is not None:
                    found[person] += common.days
        return found

    def least_busy(self, within: DateRange) -> str:
        """Who has the fewest days within a range; of several the first by name.

        Raises:
            ValueError: nobody is on the roster.
        """
        if not self._duties:
            raise ValueError("nobody is on the roster")
        load = self.load(within)
        return min(sorted(self._duties), key=lambda person: load[person])
