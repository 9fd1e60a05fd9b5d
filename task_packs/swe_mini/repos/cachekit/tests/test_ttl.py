import pytest
from cachekit import TTLCache


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    made = TTLCache(10, clock)
    made.set("a", 1)
    return made


def test_lives(cache, clock):
    clock.now += 9.9
    assert cache.get("a") == 1


def test_is_over_at_the_end(cache, clock):
    clock.now += 10
    assert cache.get("a") is None
    assert "a" not in cache


def test_time_of_its_own(cache, clock):
    cache.set("b", 2, ttl=50)
    clock.now += 20
    assert cache.get("b") == 2


def test_set_again_starts_anew(cache, clock):
    clock.now += 6
    cache.set("a", 2)
    clock.now += 6
    assert cache.get("a") == 2


def test_set_again_with_shorter_time(cache, clock):
    cache.set("a", 2, ttl=1)
    clock.now += 2
    assert "a" not in cache


def test_touch(cache, clock):
    clock.now += 6
    assert cache.touch("a")
    clock.now += 6
    assert cache.get("a") == 1


def test_touch_cannot_revive(cache, clock):
    clock.now += 11
    assert not cache.touch("a")
    assert cache.get("a") is None


def test_touch_unknown(cache):
    assert not cache.touch("zz")


def test_remaining(cache, clock):
    clock.now += 4
    assert cache.remaining("a") == 6
    clock.now += 60
    assert cache.remaining("a") == 0.0


def test_len_counts_the_living(cache, clock):
    cache.set("b", 1, ttl=30)
    clock.now += 15
    assert len(cache) == 1


def test_purge(cache, clock):
    cache.set("b", 1)
    clock.now += 15
    assert cache.purge() == 2
    assert cache.purge() == 0
    assert cache.stats.expirations == 2


def test_delete(cache, clock):
    assert cache.delete("a")
    assert not cache.delete("a")
    cache.set("b", 1)
    clock.now += 11
    assert not cache.delete("b")


def test_stats(cache, clock):
    cache.get("a")
    clock.now += 10
    cache.get("a")
    assert (cache.stats.hits, cache.stats.misses, cache.stats.expirations) == (1, 1, 1)


def test_falsy_values(cache):
    cache.set("zero", 0)
    assert cache.get("zero", 5) == 0


@pytest.mark.parametrize("ttl", [0, -5])
def test_bad_ttl(ttl):
    with pytest.raises(ValueError):
        TTLCache(ttl)
