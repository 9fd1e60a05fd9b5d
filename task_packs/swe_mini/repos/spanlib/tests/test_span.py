import pytest
from spanlib import Span


def test_length():
    assert Span(10, 25).length == 15


@pytest.mark.parametrize("start,end", [(5, 5), (6, 5)])
def test_empty_is_refused(start, end):
    with pytest.raises(ValueError):
        Span(start, end)


def test_end_is_not_inside():
    span = Span(10, 20)
    assert 10 in span
    assert 19 in span
    assert 20 not in span


def test_overlap():
    assert Span(0, 10).overlaps(Span(9, 12))
    assert Span(9, 12).overlaps(Span(0, 10))
    assert not Span(0, 5).overlaps(Span(7, 9))


def test_neighbours_do_not_overlap():
    assert not Span(0, 10).overlaps(Span(10, 20))
    assert Span(0, 10).touches(Span(10, 20))
    assert Span(10, 20).touches(Span(0, 10))


def test_intersection():
    assert Span(0, 10).intersection(Span(5, 20)) == Span(5, 10)
    assert Span(0, 10).intersection(Span(11, 20)) is None


def test_intersection_of_neighbours():
    assert Span(0, 10).intersection(Span(10, 20)) is None


def test_hull_and_shift():
    assert Span(0, 5).hull(Span(8, 9)) == Span(0, 9)
    assert Span(3, 5).shift(-3) == Span(0, 2)


def test_split():
    assert Span(0, 10).split(4) == (Span(0, 4), Span(4, 10))


@pytest.mark.parametrize("minute", [0, 10, 12])
def test_split_outside(minute):
    with pytest.raises(ValueError):
        Span(0, 10).split(minute)


def test_chunks():
    assert Span(0, 60).chunks(30) == [Span(0, 30), Span(30, 60)]


def test_last_chunk_is_shorter():
    assert Span(0, 70).chunks(30)[-1] == Span(60, 70)
