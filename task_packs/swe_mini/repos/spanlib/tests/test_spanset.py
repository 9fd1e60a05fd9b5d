from spanlib import Span, SpanSet


def test_merges_on_construction():
    assert list(SpanSet([Span(5, 8), Span(0, 6)])) == [Span(0, 8)]


def test_neighbours_become_one():
    assert len(SpanSet([Span(0, 5), Span(5, 9)])) == 1


def test_span_inside_another():
    assert list(SpanSet([Span(0, 60), Span(10, 20)])) == [Span(0, 60)]


def test_total_counts_minutes_once():
    assert SpanSet([Span(0, 30), Span(20, 40)]).total == 40


def test_add():
    found = SpanSet([Span(0, 10)])
    found.add(Span(20, 30))
    found.add(Span(8, 22))
    assert list(found) == [Span(0, 30)]


def test_remove_from_the_middle():
    found = SpanSet([Span(0, 60)])
    found.remove(Span(20, 30))
    assert list(found) == [Span(0, 20), Span(30, 60)]


def test_remove_leaves_others():
    found = SpanSet([Span(0, 10), Span(20, 30)])
    found.remove(Span(5, 15))
    assert list(found) == [Span(0, 5), Span(20, 30)]


def test_covers():
    found = SpanSet([Span(0, 10), Span(20, 30)])
    assert found.covers(Span(22, 30))
    assert not found.covers(Span(8, 22))


def test_union_and_intersection():
    left, right = SpanSet([Span(0, 10), Span(20, 30)]), SpanSet([Span(5, 25)])
    assert left.union(right) == SpanSet([Span(0, 30)])
    assert left.intersection(right) == SpanSet([Span(5, 10), Span(20, 25)])


def test_intersection_with_many():
    left = SpanSet([Span(0, 100)])
    right = SpanSet([Span(10, 20), Span(30, 40), Span(90, 120)])
    assert left.intersection(right) == SpanSet([Span(10, 20), Span(30, 40), Span(90, 100)])


def test_complement_between():
    assert list(SpanSet([Span(0, 10), Span(20, 30)]).complement(Span(0, 30))) == [Span(10, 20)]


def test_complement_after_the_last():
    assert list(SpanSet([Span(0, 10)]).complement(Span(0, 30))) == [Span(10, 30)]


def test_complement_of_nothing():
    assert list(SpanSet().complement(Span(5, 9))) == [Span(5, 9)]


def test_complement_ignores_what_lies_outside():
    found = SpanSet([Span(0, 5), Span(12, 14), Span(40, 50)])
    assert list(found.complement(Span(10, 14))) == [Span(10, 12)]
