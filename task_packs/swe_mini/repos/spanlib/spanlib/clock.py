"""Times of day as text: "09:30" is minute 570."""

from __future__ import annotations

import re

from spanlib.span import Span

DAY = 24 * 60
_TIME = re.compile(r"(\d{1,2}):(\d{2})")


def parse_time(text: str) -> int:
    """The minute of the day; "24:00" is the end of the day.

    Raises:
        ValueError: not a time of day.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a time: {text!r}")
    hours, minutes = int(match.group(1)), int(match.group(2))
    if minutes > 59 or hours * 60 + minutes > DAY:
        raise ValueError(f"no such time: {text!r}")
    return hours * 60 + minutes


def parse_span(text: str) -> Span:
    """Read "09:00-10:30".

    Raises:
        ValueError: not two times, or they are in the wrong order.
    """
    first, dash, last = text.partition("-")
    if not dash:
        raise ValueError(f"not a span: {text!r}")
    return Span(parse_time(first), parse_time(last))


def format_time(minute: int) -> str:
    """Write a minute of the day as "HH:MM"."""
    if not 0 <= minute <= DAY:
        raise ValueError(f"minute {minute} is not within a day")
    return f"{minute // 60:02d}:{minute % 60:02d}"


def format_span(span: Span) -> str:
    """Write a span as "HH:MM-HH:MM"."""
    return f"{format_time(span.start)}-{format_time(span.end)}"


def format_length(minutes: int) -> str:
    """Write a length as "1h 05m", "45m" or "2h"."""
    hours, rest = divmod(minutes, 60)
    if hours and rest:
        return f"{hours}h {rest:02d}m"
    return f"{hours}h" if hours else f"{rest}m"
