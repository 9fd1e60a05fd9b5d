import pytest
from cachekit import LRUCache


@pytest.fixture
def full():
    cache = LRUCache(3)
    for number, key in enumerate("abc"):
        cache[key] = number
    return cache


def test_get_and_set(full):
    assert full["b"] == 1
    assert full.get("zz") is None
    assert full.get("zz", 7) == 7


def test_missing_key(full):
    with pytest.raises(KeyError):
        full["zz"]


def test_oldest_is_pushed_out(full):
    full["d"] = 3
    assert list(full) == ["b", "c", "d"]


def test_reading_is_a_use(full):
    full.get("a")
    full["d"] = 3
    assert "a" in full
    assert "b" not in full


def test_writing_is_a_use(full):
    full["a"] = 10
    full["d"] = 3
    assert list(full) == ["c", "a", "d"]


def test_peek_is_no_use(full):
    assert full.peek("a") == 0
    full["d"] = 3
    assert "a" not in full
    assert full.stats.lookups == 0


def test_none_is_a_value():
    cache = LRUCache(2)
    cache["x"] = None
    assert cache["x"] is None
    assert cache.get("x", 5) is None


def test_get_or_make(full):
    assert full.get_or_make("d", lambda: 9) == 9
    assert full.get_or_make("d", lambda: 10) == 9


def test_get_or_make_remembers_none():
    calls = []
    cache = LRUCache(2)
    for _ in range(2):
        cache.get_or_make("x", lambda: calls.append(1))
    assert calls == [1]


def test_pop_and_delete(full):
    assert full.pop("a") == 0
    assert full.pop("a", 5) == 5
    del full["b"]
    assert list(full) == ["c"]


def test_resize_pushes_out(full):
    full.resize(1)
    assert list(full) == ["c"]
    assert full.stats.evictions == 2


def test_resize_to_more(full):
    full.resize(4)
    full["d"] = 3
    assert len(full) == 4


@pytest.mark.parametrize("capacity", [0, -1])
def test_bad_capacity(full, capacity):
    with pytest.raises(ValueError):
        LRUCache(capacity)
    with pytest.raises(ValueError):
        full.resize(capacity)


def test_on_evict():
    gone = []
    cache = LRUCache(1, on_evict=lambda key, value: gone.append((key, value)))
    cache["a"] = 1
    cache["b"] = 2
    assert gone == [("a", 1)]


def test_clear_is_no_eviction(full):
    full.clear()
    assert len(full) == 0
    assert full.stats.evictions == 0


def test_stats(full):
    full.get("a")
    full.get("zz")
    full["d"] = 1
    assert (full.stats.hits, full.stats.misses, full.stats.evictions) == (1, 1, 1)
