"""Days on which work is done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from daybook.dates import DAY
from daybook.ranges import DateRange

WEEKEND = frozenset({5, 6})
ROLLS = ("following", "preceding", "modified")


class BusinessCalendar:
    """Business days are all but weekends and holidays."""

    def __init__(self, holidays: Iterable[date] = (), weekend: Iterable[int] = WEEKEND) -> None:
        self.holidays = set(holidays)
        self.weekend = frozenset(weekend)
        if len(self.weekend) > 6:
            raise ValueError("a week needs a business day")

    def is_open(self, day: date) -> bool:
        """True for business days."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def add_holiday(self, day: date, *, observed: bool = False) -> date:
        """Add a holiday; `observed`: one on a weekend is moved to the next business day. Returns its date."""
        if observed:
            day = self.roll(day, "following")
        self.holidays.add(day)
        return day

    def count(self, span: DateRange) -> int:
        """Business days of a range."""
        return sum(self.is_open(day) for day in span)

    def add(self, day: date, days: int) -> date:
        """The date so many business days later (or earlier); 0 days after a closed day is the next open one."""
        if days == 0:
            return self.roll(day, "following")
        step = DAY if days > 0 else -DAY
        left = abs(days)
        while left:
            day += step
            if self.is_open(day):
                left -= 1
        return day

    def roll(self, day: date, how: str = "following") -> date:
        """The day itself if it is open, else the next or the previous one that is.

        "modified" is the following one, unless it lies in the next month: then the preceding.
        """
        if how not in ROLLS:
            raise ValueError(f"how must be one of {', '.join(ROLLS)}")
        found = self._first_open(day, -DAY if how == "preceding" else DAY)
        if how == "modified" and found.month != day.month:
            found = self._first_open(day, -DAY)
        return found

    def last_of_month(self, day: date) -> date:
        """The last business day of the day's month."""
        after = (day.replace(day=28) + 4 * DAY).replace(day=1)
        return self._first_open(after - DAY, -DAY)

    def between(self, start: date, end: date) -> int:
        """Business days from `start` (not counted) to `end` (counted); negative if the end comes first."""
        if end < start:
            return -self.between(end, start)
        return sum(self.is_open(start + number * DAY) for number in range(1, (end - start).days + 1))

    def _first_open(self, day: date, step: object) -> date:
        while not self.is_open(day):
            day += step  # type: ignore[operator]
        return day
