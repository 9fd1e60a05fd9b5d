"""Dates as text."""

from __future__ import annotations

import re
from datetime import date

from daybook.dates import DAY
from daybook.ranges import DateRange

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_RELATIVE = {"today": 0, "tomorrow": 1, "yesterday": -1}


class DateFormatError(ValueError):
    """The text is not a date."""


def parse_date(text: str, today: date | None = None) -> date:
    """Read "2024-03-01", "1.3.2024", "today", "tomorrow" or "yesterday".

    Raises:
        DateFormatError: it is none of them, or there is no such day.
    """
    word = text.strip().lower()
    if word in _RELATIVE:
        return (today or date.today()) + _RELATIVE[word] * DAY
    if match := _ISO.fullmatch(word):
        year, month, day = (int(part) for part in match.groups())
    elif match := _DOTTED.fullmatch(word):
        day, month, year = (int(part) for part in match.groups())
    else:
        raise DateFormatError(f"not a date: {text!r}")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise DateFormatError(f"no such day: {text!r} ({error})") from None


def parse_range(text: str, today: date | None = None) -> DateRange:
    """Read "2024-03-01..2024-03-31"; without the second date the range has no end.

    Raises:
        DateFormatError: not such a text, or the dates are in the wrong order.
    """
    first, dots, last = text.partition("..")
    if not dots:
        day = parse_date(first, today)
        return DateRange(day, day)
    start = parse_date(first, today)
    end = parse_date(last, today) if last.strip() else None
    try:
        return DateRange(start, end)
    except ValueError as error:
        raise DateFormatError(str(error)) from None


def format_range(span: DateRange) -> str:
    """As short as possible: "1.-5. March 2024", "28. March - 2. April 2024"."""
    start = span.start
    if span.end is None:
        return f"from {start.day}. {start:%B %Y}"
    end = span.end
    if start == end:
        return f"{start.day}. {start:%B %Y}"
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}.-{end.day}. {end:%B %Y}"
    if start.year == end.year:
        return f"{start.day}. {start:%B} - {end.day}. {end:%B %Y}"
    return f"{start.day}. {start:%B %Y} - {end.day}. {end:%B %Y}"
