import pytest
from confmerge import ConfigError
from confmerge.paths import flatten, get, put, remove


@pytest.fixture
def data():
    return {"db": {"hosts": ["x", "y"], "port": 0}, "debug": False}


def test_get(data):
    assert get(data, "db.hosts.1") == "y"
    assert get(data, "db.hosts.-1") == "y"


def test_get_falsy_values(data):
    assert get(data, "db.port", 5) == 0
    assert get(data, "debug", True) is False


@pytest.mark.parametrize("path", ["nope", "db.nope", "db.hosts.2", "db.hosts.-3", "db.port.x", "db.hosts.x"])
def test_get_missing(data, path):
    assert get(data, path, 7) == 7
    with pytest.raises(ConfigError) as caught:
        get(data, path)
    assert caught.value.path == path


@pytest.mark.parametrize("path", ["", "a..b", ".a", "a."])
def test_bad_paths(data, path):
    with pytest.raises(ConfigError):
        get(data, path)


def test_put_makes_groups(data):
    put(data, "log.file.name", "x.log")
    assert data["log"] == {"file": {"name": "x.log"}}


def test_put_into_list(data):
    put(data, "db.hosts.0", "z")
    assert data["db"]["hosts"] == ["z", "y"]


def test_put_below_list():
    data = {"servers": [{"port": 1}]}
    put(data, "servers.0.port", 2)
    assert data == {"servers": [{"port": 2}]}


@pytest.mark.parametrize("path", ["db.port.x", "debug.a.b", "db.hosts.5", "db.hosts.x"])
def test_put_impossible(data, path):
    with pytest.raises(ConfigError):
        put(data, path, 1)


def test_remove(data):
    assert remove(data, "db.port")
    assert "port" not in data["db"]
    assert not remove(data, "db.port")
    assert not remove(data, "debug.x")


def test_remove_takes_empty_groups_along():
    data = {"a": {"b": {"c": 1}}, "d": 2}
    assert remove(data, "a.b.c")
    assert data == {"d": 2}


def test_remove_keeps_groups_with_content():
    data = {"a": {"b": {"c": 1}, "x": 2}}
    remove(data, "a.b.c")
    assert data == {"a": {"x": 2}}


def test_flatten(data):
    assert dict(flatten(data)) == {"db.hosts.0": "x", "db.hosts.1": "y", "db.port": 0, "debug": False}


def test_flatten_keeps_empty_groups():
    assert dict(flatten({"a": {}, "b": []})) == {"a": {}, "b": []}
