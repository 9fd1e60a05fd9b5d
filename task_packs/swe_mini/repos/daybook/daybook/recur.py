"""Dates that repeat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import count as counted

from daybook.dates import DAY, add_months, add_years, days_in_month

UNITS = ("days", "weeks", "months", "years")


def every(
    interval: int, unit: str, start: date, *, until: date | None = None, count: int | None = None
) -> Iterator[date]:
    """Dates at equal distances, the start first.

    Months and years are counted from the start, so that the 31st comes back after a short month.

    Args:
        interval: so many units lie between two dates.
        unit: "days", "weeks", "months" or "years".
        start: the first date.
        until: the last date that is allowed.
        count: how many dates at most.
    """
    if interval < 1:
        raise ValueError("interval must be at least 1")
    if unit not in UNITS:
        raise ValueError(f"unit must be one of {', '.join(UNITS)}")
    return _dates(interval, unit, start, until, count)


def _dates(interval: int, unit: str, start: date, until: date | None, count: int | None) -> Iterator[date]:
    for number in counted():
        if count is not None and number >= count:
            return
        day = _step(start, number * interval, unit)
        if until is not None and day > until:
            return
        yield day


def _step(start: date, steps: int, unit: str) -> date:
    if unit == "days":
        return start + steps * DAY
    if unit == "weeks":
        return start + steps * 7 * DAY
    if unit == "months":
        return add_months(start, steps)
    return add_years(start, steps)


def weekdays(start: date, days: set[int], *, count: int) -> list[date]:
    """The next dates, the start included, that fall on certain weekdays."""
    if not days or not days <= set(range(7)):
        raise ValueError("days must be some of 0 to 6")
    found: list[date] = []
    day = start
    while len(found) < count:
        if day.weekday() in days:
            found.append(day)
        day += DAY
    return found


def monthly_on_weekday(year: int, month: int, weekday: int, number: int) -> date:
    """The `number`-th weekday of a month; -1 is the last one.

    Raises:
        ValueError: there is none, such as a fifth Monday.
    """
    if number == 0:
        raise ValueError("number must not be 0")
    last = days_in_month(year, month)
    days = [day for day in range(1, last + 1) if date(year, month, day).weekday() == weekday]
    index = number - 1 if number > 0 else number
    if not -len(days) <= index < len(days):
        raise ValueError(f"no such weekday in {year}-{month:02d}")
    return date(year, month, days[index])
