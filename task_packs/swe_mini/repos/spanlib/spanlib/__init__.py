"""Spans of time within a day."""

from spanlib.calendar import Booking, Calendar, ConflictError
from spanlib.clock import format_span, format_time, parse_span, parse_time
from spanlib.schedule import assign_rooms, best_weight, largest_subset, rooms_needed
from spanlib.span import Span
from spanlib.spanset import SpanSet

__all__ = [
    "Booking",
    "Calendar",
    "ConflictError",
    "Span",
    "SpanSet",
    "assign_rooms",
    "best_weight",
    "format_span",
    "format_time",
    "largest_subset",
    "parse_span",
    "parse_time",
    "rooms_needed",
]
