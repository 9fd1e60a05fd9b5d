from spanlib import Span, assign_rooms, best_weight, largest_subset, rooms_needed


def test_largest_subset():
    spans = [Span(0, 6), Span(1, 2), Span(3, 5), Span(5, 9)]
    assert largest_subset(spans) == [Span(1, 2), Span(3, 5), Span(5, 9)]


def test_largest_subset_of_nothing():
    assert largest_subset([]) == []


def test_best_weight_prefers_one_heavy():
    weight, chosen = best_weight([(Span(0, 10), 10.0), (Span(0, 4), 3.0), (Span(5, 9), 4.0)])
    assert weight == 10.0
    assert chosen == [Span(0, 10)]


def test_best_weight_adds_up():
    weight, chosen = best_weight([(Span(0, 10), 6.0), (Span(0, 4), 3.0), (Span(5, 9), 4.0)])
    assert weight == 7.0
    assert chosen == [Span(0, 4), Span(5, 9)]


def test_best_weight_of_neighbours():
    weight, chosen = best_weight([(Span(0, 5), 2.0), (Span(5, 9), 2.0)])
    assert weight == 4.0
    assert chosen == [Span(0, 5), Span(5, 9)]


def test_best_weight_of_nothing():
    assert best_weight([]) == (0.0, [])


def test_rooms_needed():
    assert rooms_needed([Span(0, 10), Span(5, 15), Span(8, 9)]) == 3
    assert rooms_needed([]) == 0


def test_rooms_for_one_after_another():
    assert rooms_needed([Span(0, 10), Span(10, 20), Span(20, 30)]) == 1


def test_assign_rooms():
    rooms = assign_rooms([Span(0, 10), Span(5, 15), Span(12, 20)])
    assert rooms == {Span(0, 10): 0, Span(5, 15): 1, Span(12, 20): 0}


def test_assign_rooms_again_at_once():
    assert set(assign_rooms([Span(0, 10), Span(10, 20)]).values()) == {0}


def test_lowest_free_room_first():
    rooms = assign_rooms([Span(0, 30), Span(1, 10), Span(2, 12), Span(15, 20)])
    assert rooms[Span(15, 20)] == 1
