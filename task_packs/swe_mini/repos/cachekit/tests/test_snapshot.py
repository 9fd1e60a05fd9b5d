import pytest
from cachekit import LRUCache, Stats, dump, load


@pytest.fixture
def cache():
    made = LRUCache(3)
    for key in "abc":
        made[key] = key * 2
    made.get("a")
    return made


def test_round_trip(cache):
    again = load(dump(cache))
    assert list(again) == ["b", "c", "a"]
    assert again["b"] == "bb"
    assert again.capacity == 3


def test_dump_changes_nothing(cache):
    before = (list(cache), cache.stats.lookups)
    dump(cache)
    assert (list(cache), cache.stats.lookups) == before


def test_only_the_most_recent(cache):
    assert list(load(dump(cache, only=2))) == ["c", "a"]


def test_only_more_than_there_are(cache):
    assert len(load(dump(cache, only=10))) == 3


def test_only_none_at_all(cache):
    assert len(load(dump(cache, only=0))) == 0


def test_smaller_capacity(cache):
    again = load(dump(cache), capacity=2)
    assert list(again) == ["c", "a"]


def test_loading_does_not_count(cache):
    assert load(dump(cache), capacity=1).stats == Stats()


def test_keys_must_be_strings():
    cache = LRUCache(1)
    cache[5] = 1
    with pytest.raises(TypeError):
        dump(cache)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version":99}'])
def test_bad_dumps(text):
    with pytest.raises(ValueError):
        load(text)


def test_hit_rate():
    assert Stats(hits=3, misses=1).hit_rate == 0.75


def test_hit_rate_before_any_lookup():
    assert Stats().hit_rate == 0.0
    assert Stats(evictions=2).line() == "0/0 hits (0%), 2 evicted"


def test_reset():
    stats = Stats(1, 2, 3, 4)
    stats.reset()
    assert stats == Stats()


def test_add():
    assert Stats(1, 2, 3, 4) + Stats(1, 1, 1, 1) == Stats(2, 3, 4, 5)
