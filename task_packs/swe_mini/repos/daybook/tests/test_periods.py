from datetime import date

import pytest
from daybook import DateRange, every, month, monthly_on_weekday, quarter, week, year
from daybook.periods import previous, quarter_number
from daybook.recur import weekdays

DAY = date(2024, 3, 1)


def test_week():
    assert week(DAY) == DateRange(date(2024, 2, 26), date(2024, 3, 3))
    assert week(date(2024, 3, 4)).start == date(2024, 3, 4)


def test_week_from_sunday():
    assert week(DAY, first=6) == DateRange(date(2024, 2, 25), date(2024, 3, 2))
    assert week(date(2024, 3, 3), first=6).start == date(2024, 3, 3)


def test_month():
    assert month(date(2024, 2, 10)) == DateRange(date(2024, 2, 1), date(2024, 2, 29))
    assert month(date(2023, 12, 31)) == DateRange(date(2023, 12, 1), date(2023, 12, 31))


@pytest.mark.parametrize("number,first,last", [(1, 1, 3), (3, 1, 3), (4, 4, 6), (12, 10, 12)])
def test_quarter(number, first, last):
    span = quarter(date(2024, number, 15))
    assert (span.start.month, span.end.month) == (first, last)


def test_quarter_of_another_year():
    assert quarter(date(2024, 1, 5), first_month=12) == DateRange(date(2023, 12, 1), date(2024, 2, 29))


@pytest.mark.parametrize("month_,number", [(1, 1), (3, 1), (4, 2), (9, 3), (12, 4)])
def test_quarter_number(month_, number):
    assert quarter_number(date(2024, month_, 1)) == number


def test_quarter_number_of_another_year():
    assert quarter_number(date(2024, 4, 1), first_month=4) == 1
    assert quarter_number(date(2024, 3, 31), first_month=4) == 4


def test_year():
    assert year(DAY) == DateRange(date(2024, 1, 1), date(2024, 12, 31))


def test_year_from_april():
    assert year(DAY, first_month=4) == DateRange(date(2023, 4, 1), date(2024, 3, 31))
    assert year(date(2024, 4, 1), first_month=4).start == date(2024, 4, 1)


def test_previous_month():
    assert previous(month(date(2024, 3, 5))) == month(date(2024, 2, 5))
    assert previous(month(date(2024, 1, 5))) == month(date(2023, 12, 5))


def test_previous_quarter():
    assert previous(quarter(date(2024, 5, 5))) == quarter(date(2024, 1, 1))


def test_previous_days():
    assert previous(week(DAY)) == week(date(2024, 2, 20))


def test_every_day_and_week():
    assert [d.day for d in every(3, "days", DAY, count=3)] == [1, 4, 7]
    assert [d.day for d in every(2, "weeks", DAY, count=3)] == [1, 15, 29]


def test_every_month_from_the_end():
    found = list(every(1, "months", date(2024, 1, 31), count=4))
    assert found == [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]


def test_every_leap_day():
    found = list(every(1, "years", date(2024, 2, 29), count=5))
    assert found[1] == date(2025, 2, 28)
    assert found[4] == date(2028, 2, 29)


def test_until_is_allowed():
    assert list(every(1, "weeks", DAY, until=date(2024, 3, 15)))[-1] == date(2024, 3, 15)


def test_until_before_the_start():
    assert list(every(1, "days", DAY, until=date(2024, 2, 1))) == []


def test_count_and_until():
    assert len(list(every(1, "days", DAY, until=date(2024, 3, 5), count=3))) == 3
    assert len(list(every(1, "days", DAY, until=date(2024, 3, 2), count=3))) == 2


def test_count_zero():
    assert list(every(1, "days", DAY, count=0)) == []


@pytest.mark.parametrize("interval,unit", [(0, "days"), (1, "hours")])
def test_every_refused(interval, unit):
    with pytest.raises(ValueError):
        every(interval, unit, DAY)


def test_weekdays():
    assert weekdays(DAY, {0, 4}, count=3) == [DAY, date(2024, 3, 4), date(2024, 3, 8)]


@pytest.mark.parametrize("days", [set(), {7}], ids=["none", "unknown"])
def test_weekdays_refused(days):
    with pytest.raises(ValueError):
        weekdays(DAY, days, count=1)


@pytest.mark.parametrize("number,day", [(1, 4), (2, 11), (-1, 25), (-2, 18)])
def test_weekday_of_month(number, day):
    assert monthly_on_weekday(2024, 3, 0, number) == date(2024, 3, day)


@pytest.mark.parametrize("number", [0, 5, -5])
def test_weekday_of_month_refused(number):
    with pytest.raises(ValueError):
        monthly_on_weekday(2024, 3, 0, number)
