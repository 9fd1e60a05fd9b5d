import pytest
from cachekit import memoize
from cachekit.memo import make_key


@pytest.fixture
def calls():
    return []


@pytest.fixture
def area(calls):
    @memoize(4)
    def area(width, height=1, *, unit="m"):
        calls.append((width, height))
        return f"{width * height}{unit}"

    return area


def test_called_once(area, calls):
    assert area(2, 3) == area(2, 3) == "6m"
    assert calls == [(2, 3)]


def test_other_arguments(area, calls):
    area(2, 3)
    area(3, 2)
    assert len(calls) == 2


def test_keyword_values_count(area):
    assert area(2, unit="m") == "2m"
    assert area(2, unit="cm") == "2cm"


def test_order_of_keywords_does_not_matter():
    assert make_key((), {"a": 1, "b": 2}) == make_key((), {"b": 2, "a": 1})


def test_keywords_are_not_positions():
    assert make_key((("a", 1),), {}) != make_key((), {"a": 1})


def test_typed():
    assert make_key((1,), {}) == make_key((1.0,), {})
    assert make_key((1,), {}, typed=True) != make_key((1.0,), {}, typed=True)


def test_typed_keywords():
    assert make_key((), {"a": 1}, typed=True) != make_key((), {"a": True}, typed=True)


def test_ignored_arguments(calls):
    @memoize(ignore=("verbose",))
    def double(number, verbose=False):
        calls.append(verbose)
        return number * 2

    assert double(4, verbose=True) == double(4, verbose=False) == 8
    assert calls == [True]


def test_forget(area, calls):
    area(2, 3)
    area.forget(2, 3)
    area(2, 3)
    assert len(calls) == 2


def test_forget_with_keywords(area, calls):
    area(2, unit="cm")
    area(2, unit="km")
    area.forget(2, unit="cm")
    area(2, unit="km")
    assert len(calls) == 2
    area(2, unit="cm")
    assert len(calls) == 3


def test_errors_are_not_remembered(calls):
    @memoize()
    def fail():
        calls.append(1)
        raise RuntimeError("no")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            fail()
    assert len(calls) == 2


def test_name_is_kept(area):
    assert area.__name__ == "area"


def test_functions_do_not_share():
    @memoize()
    def one(x):
        return 1

    @memoize()
    def two(x):
        return 2

    assert (one(5), two(5)) == (1, 2)
