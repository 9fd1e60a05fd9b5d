import pytest
from spanlib import Booking, Calendar, ConflictError, Span


@pytest.fixture
def day():
    calendar = Calendar()
    calendar.book("ana", Span(540, 600), "review")
    calendar.book("ana", Span(660, 720))
    calendar.book("ben", Span(570, 630))
    return calendar


def test_conflict(day):
    with pytest.raises(ConflictError, match="review"):
        day.book("ana", Span(590, 610))


def test_others_may_overlap(day):
    assert day.book("cid", Span(540, 600)).owner == "cid"


def test_bookings_by_time(day):
    assert [b.owner for b in day.bookings()] == ["ana", "ben", "ana"]
    assert [b.span for b in day.bookings("ana")] == [Span(540, 600), Span(660, 720)]


def test_cancel(day):
    day.cancel(Booking("ana", Span(540, 600)))
    assert [b.span for b in day.bookings("ana")] == [Span(660, 720)]


def test_cancel_twice(day):
    booking = day.bookings("ben")[0]
    day.cancel(booking)
    with pytest.raises(KeyError):
        day.cancel(booking)


def test_owner_without_bookings_is_gone(day):
    day.cancel(day.bookings("ben")[0])
    assert day.owners() == ["ana"]
    assert "ben" not in day.load()


def test_busy(day):
    assert list(day.busy()) == [Span(540, 630), Span(660, 720)]
    assert day.busy("ben").total == 60


def test_free_slots(day):
    assert day.free_slots(Span(480, 780)) == [Span(480, 540), Span(630, 660), Span(720, 780)]


def test_free_slots_of_a_length(day):
    assert day.free_slots(Span(480, 780), at_least=60) == [Span(480, 540), Span(720, 780)]


def test_free_slots_of_one(day):
    assert day.free_slots(Span(540, 720), owner="ana") == [Span(600, 660)]


def test_next_free_at_once(day):
    assert day.next_free(480, 60) == Span(480, 540)


def test_next_free_in_a_gap(day):
    assert day.next_free(540, 30) == Span(630, 660)
    assert day.next_free(540, 45) == Span(720, 765)


def test_next_free_during_a_long_booking():
    calendar = Calendar()
    calendar.book("ana", Span(0, 300))
    calendar.book("ben", Span(30, 60))
    assert calendar.next_free(10, 20) == Span(300, 320)


def test_next_free_after_everything(day):
    assert day.next_free(800, 15) == Span(800, 815)


def test_load(day):
    assert day.load() == {"ana": 120, "ben": 60}
