"""Ranges of dates, business days, repetitions and periods."""

from daybook.business import BusinessCalendar
from daybook.dates import add_months, add_years, years_between
from daybook.parse import DateFormatError, parse_date, parse_range
from daybook.periods import month, quarter, week, year
from daybook.ranges import DateRange, gaps, merge_ranges
from daybook.recur import every, monthly_on_weekday
from daybook.shifts import Roster

__all__ = [
    "BusinessCalendar",
    "DateFormatError",
    "DateRange",
    "Roster",
    "add_months",
    "add_years",
    "every",
    "gaps",
    "merge_ranges",
    "month",
    "monthly_on_weekday",
    "parse_date",
    "parse_range",
    "quarter",
    "week",
    "year",
    "years_between",
]
