from datetime import date

import pytest
from daybook import DateFormatError, DateRange, add_months, add_years, parse_date, parse_range, years_between
from daybook.dates import is_leap, months_between, next_weekday
from daybook.parse import format_range

TODAY = date(2024, 3, 1)


@pytest.mark.parametrize(
    "months,result",
    [(1, date(2024, 2, 15)), (0, date(2024, 1, 15)), (13, date(2025, 2, 15)), (-1, date(2023, 12, 15))],
)
def test_add_months(months, result):
    assert add_months(date(2024, 1, 15), months) == result


def test_add_months_to_december():
    assert add_months(date(2024, 6, 10), 6) == date(2024, 12, 10)
    assert add_months(date(2024, 12, 10), 12) == date(2025, 12, 10)


def test_short_months():
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2023, 1, 31), 3) == date(2023, 4, 30)


def test_add_years():
    assert add_years(date(2024, 2, 29), 1) == date(2025, 2, 28)
    assert add_years(date(2024, 2, 29), -4) == date(2020, 2, 29)


def test_years_between():
    assert years_between(date(2000, 5, 10), date(2024, 5, 10)) == 24
    assert years_between(date(2000, 5, 10), date(2024, 8, 1)) == 24


def test_years_before_the_birthday():
    assert years_between(date(2000, 5, 10), date(2024, 5, 9)) == 23
    assert years_between(date(2000, 5, 10), date(2024, 4, 20)) == 23


def test_years_in_a_later_month():
    assert years_between(date(2000, 5, 20), date(2024, 6, 1)) == 24


def test_months_between():
    assert months_between(date(2024, 1, 15), date(2024, 3, 15)) == 2
    assert months_between(date(2024, 1, 15), date(2024, 3, 14)) == 1
    assert months_between(date(2024, 1, 31), date(2024, 2, 29)) == 1


@pytest.mark.parametrize("function", [years_between, months_between])
def test_wrong_order(function):
    with pytest.raises(ValueError):
        function(date(2024, 1, 2), date(2024, 1, 1))


def test_next_weekday():
    assert next_weekday(TODAY, 0) == date(2024, 3, 4)
    assert next_weekday(TODAY, 3) == date(2024, 3, 7)


def test_next_weekday_of_the_same_kind():
    assert next_weekday(TODAY, 4) == date(2024, 3, 8)
    assert next_weekday(TODAY, 4, same=True) == TODAY


@pytest.mark.parametrize("year,leap", [(2024, True), (2023, False), (1900, False), (2000, True)])
def test_leap(year, leap):
    assert is_leap(year) is leap


@pytest.mark.parametrize("text", ["2024-03-01", "2024-3-1", "1.3.2024", "01.03.2024", "\t2024-03-01\n"])
def test_parse(text):
    assert parse_date(text) == TODAY


@pytest.mark.parametrize("text,day", [("today", 1), ("Tomorrow", 2)])
def test_parse_words(text, day):
    assert parse_date(text, TODAY) == date(2024, 3, day)


def test_parse_yesterday():
    assert parse_date("yesterday", TODAY) == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["", "soon", "2024/03/01", "24-03-01", "2024-03"])
def test_not_a_date(text):
    with pytest.raises(DateFormatError, match="not a date"):
        parse_date(text)


@pytest.mark.parametrize("text", ["2024-02-30", "31.4.2024", "2024-13-01", "0000-01-01"])
def test_no_such_day(text):
    with pytest.raises(DateFormatError, match="no such day"):
        parse_date(text)


def test_parse_range():
    assert parse_range("2024-03-01..2024-03-05") == DateRange(TODAY, date(2024, 3, 5))


def test_parse_range_of_one_day():
    assert parse_range("2024-03-01") == DateRange(TODAY, TODAY)


def test_parse_range_without_end():
    assert parse_range("today..", TODAY) == DateRange(TODAY)


def test_parse_range_in_wrong_order():
    with pytest.raises(DateFormatError):
        parse_range("2024-03-05..2024-03-01")


@pytest.mark.parametrize(
    "text,shown",
    [
        ("2024-03-01..2024-03-05", "1.-5. March 2024"),
        ("2024-03-28..2024-04-02", "28. March - 2. April 2024"),
        ("2023-12-30..2024-01-02", "30. December 2023 - 2. January 2024"),
        ("2023-03-05..2024-03-08", "5. March 2023 - 8. March 2024"),
        ("2024-03-01", "1. March 2024"),
        ("2024-03-01..", "from 1. March 2024"),
    ],
    ids=["month", "year", "years", "same-month-of-two-years", "day", "open"],
)
def test_format_range(text, shown):
    assert format_range(parse_range(text)) == shown
