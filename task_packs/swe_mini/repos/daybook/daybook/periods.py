"""Weeks, months, quarters and years as ranges."""

from __future__ import annotations

from datetime import date, timedelta

from daybook.dates import DAY, add_months
from daybook.ranges import DateRange


def week(day: date, first: int = 0) -> DateRange:
    """The week around a day; it begins on weekday `first` (0 is Monday)."""
    start = day - timedelta(days=(day.weekday() - first) % 7)
    return DateRange(start, start + 6 * DAY)


def month(day: date) -> DateRange:
    """The month of a day."""
    start = day.replace(day=1)
    return DateRange(start, add_months(start, 1) - DAY)


def quarter(day: date, first_month: int = 1) -> DateRange:
    """The quarter of a day; the year begins with `first_month`."""
    back = (day.month - first_month) % 3
    start = add_months(day.replace(day=1), -back)
    return DateRange(start, add_months(start, 3) - DAY)


def quarter_number(day: date, first_month: int = 1) -> int:
    """1 to 4."""
    return (day.month - first_month) % 12 // 3 + 1


def year(day: date, first_month: int = 1) -> DateRange:
    """The year of a day, from the first of `first_month` on."""
    start = date(day.year, first_month, 1)
    if start > day:
        start = date(day.year - 1, first_month, 1)
    return DateRange(start, add_months(start, 12) - DAY)


def previous(period: DateRange) -> DateRange:
    """The period of the same kind just before: whole months stay whole months, else as many days."""
    if period.end is None:
        raise ValueError("a range without an end has no previous one")
    after = period.end + DAY
    if period.start.day == 1 and after.day == 1:
        months = (after.year - period.start.year) * 12 + after.month - period.start.month
        return DateRange(add_months(period.start, -months), period.start - DAY)
    return period.shift(-period.days)
