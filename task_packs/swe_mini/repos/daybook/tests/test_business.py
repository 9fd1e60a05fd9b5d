from datetime import date

import pytest
from daybook import BusinessCalendar, DateRange, Roster

FRIDAY = date(2024, 3, 1)


@pytest.fixture
def office():
    return BusinessCalendar([date(2024, 3, 29), date(2024, 4, 1)])


def test_open(office):
    assert office.is_open(FRIDAY)
    assert not office.is_open(date(2024, 3, 2))
    assert not office.is_open(date(2024, 3, 29))


def test_other_weekend():
    assert BusinessCalendar(weekend={4, 5}).is_open(date(2024, 3, 3))
    with pytest.raises(ValueError):
        BusinessCalendar(weekend=range(7))


def test_count(office):
    assert office.count(DateRange(FRIDAY, date(2024, 3, 8))) == 6


def test_count_with_holidays(office):
    assert office.count(DateRange(date(2024, 3, 25), date(2024, 4, 2))) == 5


def test_add(office):
    assert office.add(FRIDAY, 1) == date(2024, 3, 4)
    assert office.add(FRIDAY, 6) == date(2024, 3, 11)


def test_add_over_holidays(office):
    assert office.add(date(2024, 3, 28), 1) == date(2024, 4, 2)


def test_subtract(office):
    assert office.add(date(2024, 3, 4), -1) == FRIDAY
    assert office.add(date(2024, 4, 2), -1) == date(2024, 3, 28)


def test_add_nothing(office):
    assert office.add(FRIDAY, 0) == FRIDAY
    assert office.add(date(2024, 3, 2), 0) == date(2024, 3, 4)


@pytest.mark.parametrize("how,day", [("following", (4, 2)), ("preceding", (3, 28)), ("modified", (3, 28))])
def test_roll(office, how, day):
    assert office.roll(date(2024, 3, 30), how) == date(2024, *day)


def test_roll_open_day(office):
    assert office.roll(FRIDAY, "preceding") == FRIDAY


def test_roll_modified_within_the_month(office):
    assert office.roll(date(2024, 3, 2), "modified") == date(2024, 3, 4)


def test_roll_unknown(office):
    with pytest.raises(ValueError):
        office.roll(FRIDAY, "nearest")


def test_last_of_month(office):
    assert office.last_of_month(FRIDAY) == date(2024, 3, 28)
    assert office.last_of_month(date(2024, 1, 31)) == date(2024, 1, 31)
    assert office.last_of_month(date(2023, 12, 5)) == date(2023, 12, 29)


def test_between(office):
    assert office.between(FRIDAY, date(2024, 3, 8)) == 5
    assert office.between(FRIDAY, FRIDAY) == 0


def test_between_backwards(office):
    assert office.between(date(2024, 3, 8), FRIDAY) == -5


def test_add_holiday(office):
    assert office.add_holiday(date(2024, 5, 1)) == date(2024, 5, 1)
    assert not office.is_open(date(2024, 5, 1))


def test_observed_holiday(office):
    assert office.add_holiday(date(2024, 12, 1), observed=True) == date(2024, 12, 2)
    assert not office.is_open(date(2024, 12, 2))


def test_two_observed_holidays(office):
    office.add_holiday(date(2022, 12, 25), observed=True)
    office.add_holiday(date(2022, 12, 26), observed=True)
    assert {date(2022, 12, 26), date(2022, 12, 27)} <= office.holidays


def test_calendars_do_not_share_holidays():
    BusinessCalendar().add_holiday(FRIDAY)
    assert BusinessCalendar().is_open(FRIDAY)


def march(first, last):
    return DateRange(date(2024, 3, first), date(2024, 3, last))


@pytest.fixture
def roster():
    made = Roster()
    made.assign("ana", march(1, 5))
    made.assign("ben", march(4, 8))
    made.assign("ana", march(12, 14))
    return made


def test_on_duty(roster):
    assert roster.on_duty(date(2024, 3, 4)) == ["ana", "ben"]
    assert roster.on_duty(date(2024, 3, 10)) == []


def test_two_duties_at_a_time(roster):
    with pytest.raises(ValueError):
        roster.assign("ana", march(5, 6))
    assert roster.on_duty(date(2024, 3, 6)) == ["ben"]


def test_covered(roster):
    assert roster.covered() == [march(1, 8), march(12, 14)]
    assert roster.holes() == [march(9, 11)]


def test_uncovered(roster):
    assert roster.uncovered(march(7, 20)) == [march(9, 11), march(15, 20)]


def test_load(roster):
    assert roster.load(march(1, 31)) == {"ana": 8, "ben": 5}


def test_load_counts_only_days_within(roster):
    assert roster.load(march(5, 12)) == {"ana": 2, "ben": 4}
    assert roster.load(march(6, 7)) == {"ben": 2}


def test_least_busy(roster):
    assert roster.least_busy(march(1, 31)) == "ben"
    assert roster.least_busy(march(6, 7)) == "ana"


def test_least_busy_of_nobody():
    with pytest.raises(ValueError):
        Roster().least_busy(march(1, 2))


def test_swap(roster):
    roster.swap("ana", "ben")
    assert roster.on_duty(date(2024, 3, 13)) == ["ben"]


def test_swap_with_someone_new(roster):
    roster.swap("ana", "cid")
    assert roster.on_duty(date(2024, 3, 1)) == ["cid"]
