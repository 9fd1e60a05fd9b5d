from datetime import date

import pytest
from daybook import DateRange, gaps, merge_ranges


def march(first, last=None):
    return DateRange(date(2024, 3, first), None if last is None else date(2024, 3, last))


def test_both_ends_are_inside():
    span = march(5, 10)
    assert date(2024, 3, 5) in span
    assert date(2024, 3, 10) in span
    assert date(2024, 3, 11) not in span


def test_without_end():
    assert date(2100, 1, 1) in march(5)
    assert date(2024, 3, 4) not in march(5)


def test_wrong_order():
    with pytest.raises(ValueError):
        march(5, 4)


def test_days():
    assert march(5, 10).days == 6
    assert len(march(5, 5)) == 1


def test_days_without_end():
    with pytest.raises(ValueError):
        march(5).days  # noqa: B018


def test_iteration():
    assert [day.day for day in march(30, 31)] == [30, 31]
    assert next(iter(march(7))) == date(2024, 3, 7)


def test_overlap():
    assert march(1, 5).overlaps(march(5, 9))
    assert march(5, 9).overlaps(march(1, 5))
    assert not march(1, 4).overlaps(march(5, 9))
    assert not march(5, 9).overlaps(march(1, 4))


def test_overlap_without_end():
    assert march(5).overlaps(march(20))
    assert march(5).overlaps(march(1, 5))
    assert not march(5).overlaps(march(1, 4))
    assert not march(1, 4).overlaps(march(5))


def test_intersection():
    assert march(1, 9).intersection(march(5, 20)) == march(5, 9)
    assert march(1, 3).intersection(march(5, 20)) is None


def test_intersection_without_end():
    assert march(1).intersection(march(5, 20)) == march(5, 20)
    assert march(5, 20).intersection(march(7)) == march(7, 20)
    assert march(1).intersection(march(9)) == march(9)


def test_before():
    assert march(1, 4).before(march(5, 6))
    assert not march(1, 5).before(march(5, 6))
    assert not march(1).before(march(5, 6))


def test_shift():
    assert march(1, 4).shift(2) == march(3, 6)
    assert march(3).shift(-2) == march(1)


def test_split():
    assert march(1, 7).split(3) == [march(1, 3), march(4, 6), march(7, 7)]
    assert march(1, 6).split(3) == [march(1, 3), march(4, 6)]


@pytest.mark.parametrize("span,size", [(march(1, 7), 0), (march(1), 3)], ids=["size", "open"])
def test_split_refused(span, size):
    with pytest.raises(ValueError):
        span.split(size)


def test_merge():
    assert merge_ranges([march(10, 12), march(1, 4), march(3, 6)]) == [march(1, 6), march(10, 12)]


def test_merge_of_ranges_that_follow_each_other():
    assert merge_ranges([march(1, 4), march(5, 9)]) == [march(1, 9)]
    assert len(merge_ranges([march(1, 4), march(6, 9)])) == 2


def test_merge_range_inside():
    assert merge_ranges([march(1, 20), march(5, 9)]) == [march(1, 20)]


def test_merge_without_end():
    assert merge_ranges([march(1, 4), march(3), march(20, 25)]) == [march(1)]


def test_merge_nothing():
    assert merge_ranges([]) == []


def test_gaps():
    assert gaps([march(1, 4), march(6, 9), march(20, 25)]) == [march(5, 5), march(10, 19)]


def test_gaps_before_open_range():
    assert gaps([march(1, 4), march(8)]) == [march(5, 7)]
