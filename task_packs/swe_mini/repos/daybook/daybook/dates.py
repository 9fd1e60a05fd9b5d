"""Single dates."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

DAY = timedelta(days=1)


def days_in_month(year: int, month: int) -> int:
    """Number of days."""
    return calendar.monthrange(year, month)[1]


def add_months(day: date, months: int) -> date:
    """The same day so many months later (or earlier); the month's last day if it is too short."""
    total = day.year * 12 + (day.month - 1) + months
    year, month = total // 12, total % 12 + 1
    return date(year, month, min(day.day, days_in_month(year, month)))


def add_years(day: date, years: int) -> date:
    """The same day so many years later; 28 February for 29 February in common years."""
    return add_months(day, 12 * years)


def years_between(start: date, end: date) -> int:
    """Full years from one date to the other, as in ages.

    Raises:
        ValueError: the end comes first.
    """
    if end < start:
        raise ValueError("the end comes before the start")
    years = end.year - start.year
    if (end.month, end.day) < (start.month, start.day):
        years -= 1
    return years


def months_between(start: date, end: date) -> int:
    """Full months from one date to the other."""
    if end < start:
        raise ValueError("the end comes before the start")
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, months) > end:
        months -= 1
    return months


def next_weekday(day: date, weekday: int, *, same: bool = False) -> date:
    """The next date on a weekday (0 is Monday); `same`: the day itself counts."""
    ahead = (weekday - day.weekday()) % 7
    if ahead == 0 and not same:
        ahead = 7
    return day + ahead * DAY


def is_leap(year: int) -> bool:
    """True for years of 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
