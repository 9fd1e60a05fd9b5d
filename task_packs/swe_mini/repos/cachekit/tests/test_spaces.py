import pytest
from cachekit import Spaces


@pytest.fixture
def spaces():
    made = Spaces(10)
    made.put("user", "ana", 1)
    made.put("user", "ben", 2)
    made.put("users", "all", 3)
    return made


def test_get(spaces):
    assert spaces.get("user", "ana") == 1
    assert spaces.get("user", "cid") is None
    assert spaces.get("user", "cid", 0) == 0


def test_same_name_in_two_spaces(spaces):
    spaces.put("group", "ana", 9)
    assert spaces.get("user", "ana") == 1


def test_names(spaces):
    assert spaces.names("user") == ["ana", "ben"]


def test_clear(spaces):
    assert spaces.clear("user") == 2
    assert spaces.names("user") == []


def test_clear_leaves_similar_names(spaces):
    spaces.clear("user")
    assert spaces.get("users", "all") == 3


def test_name_with_colon(spaces):
    spaces.put("url", "http://x", 1)
    assert spaces.names("url") == ["http://x"]
    assert spaces.sizes()["url"] == 1


def test_sizes(spaces):
    assert spaces.sizes() == {"user": 2, "users": 1}


def test_loader(spaces):
    asked = []

    def load(name):
        asked.append(name)
        return name.upper()

    spaces.loader("user", load)
    assert spaces.get("user", "dora") == "DORA"
    assert spaces.get("user", "dora") == "DORA"
    assert asked == ["dora"]


def test_loaded_none_is_kept(spaces):
    asked = []
    spaces.loader("user", asked.append)
    spaces.get("user", "x")
    spaces.get("user", "x")
    assert asked == ["x"]


@pytest.mark.parametrize("space", ["", "a:b"])
def test_bad_space(spaces, space):
    with pytest.raises(ValueError):
        spaces.put(space, "x", 1)
