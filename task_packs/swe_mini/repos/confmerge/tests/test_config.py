import pytest
from confmerge import Config, ConfigError, Field, changes, check, resolve
from confmerge.changes import summary


def test_reference():
    assert resolve({"a": "x", "b": "<${a}>"})["b"] == "<x>"


def test_reference_keeps_its_type():
    assert resolve({"port": 80, "copy": "${port}"})["copy"] == 80


def test_reference_to_group():
    assert resolve({"a": {"x": 1}, "b": "${a}"})["b"] == {"x": 1}


def test_reference_to_reference():
    assert resolve({"a": "${b}!", "b": "${c}?", "c": "x"})["a"] == "x?!"


def test_two_references():
    assert resolve({"h": "x", "p": 1, "u": "${h}:${p}"})["u"] == "x:1"


def test_fallback():
    assert resolve({"a": "${nope:dark} sky"})["a"] == "dark sky"
    assert resolve({"a": "${nope:}"})["a"] == ""


def test_fallback_is_not_used():
    assert resolve({"a": "${b:other}", "b": 0})["a"] == 0


def test_missing_reference():
    with pytest.raises(ConfigError) as caught:
        resolve({"g": {"a": "${nope}"}})
    assert caught.value.path == "g.a"


@pytest.mark.parametrize("data", [{"a": "${a}"}, {"a": "${b}", "b": "x${a}"}])
def test_circle(data):
    with pytest.raises(ConfigError, match="itself"):
        resolve(data)


def test_same_reference_twice_is_no_circle():
    assert resolve({"a": "x", "b": "${a}${a}"})["b"] == "xx"


def test_escaped():
    assert resolve({"a": "cost: $${b}"})["a"] == "cost: ${b}"


def test_in_lists():
    assert resolve({"a": 1, "b": ["${a}", "n${a}"]})["b"] == [1, "n1"]


FIELDS = {
    "db.port": Field(int, default=5432, least=1, most=65535),
    "db.host": Field(str, required=True),
    "ratio": Field(float, default=0.5),
    "mode": Field(str, default="fast", choices=("fast", "safe")),
    "debug": Field(bool, default=False),
}


def test_check():
    found = check({"db": {"host": "x", "port": 80}, "ratio": 1}, FIELDS)
    assert found == {"db.port": 80, "db.host": "x", "ratio": 1.0, "mode": "fast", "debug": False}
    assert isinstance(found["ratio"], float)


@pytest.mark.parametrize(
    "data,path",
    [
        ({"db": {}}, "db.host"),
        ({"db": {"host": 5}}, "db.host"),
        ({"db": {"host": "x", "port": "80"}}, "db.port"),
        ({"db": {"host": "x"}, "mode": "slow"}, "mode"),
        ({"db": {"host": "x"}, "debug": 1}, "debug"),
    ],
)
def test_check_errors(data, path):
    with pytest.raises(ConfigError) as caught:
        check(data, FIELDS)
    assert caught.value.path == path


@pytest.mark.parametrize("port", [0, 65536])
def test_check_range(port):
    with pytest.raises(ConfigError):
        check({"db": {"host": "x", "port": port}}, FIELDS)


@pytest.mark.parametrize("port", [1, 65535])
def test_check_ends_of_range(port):
    assert check({"db": {"host": "x", "port": port}}, FIELDS)["db.port"] == port


@pytest.mark.parametrize("name", ["port", "ratio"])
def test_truth_value_is_no_number(name):
    data = {"db": {"host": "x"}}
    if name == "port":
        data["db"]["port"] = True
    else:
        data["ratio"] = True
    with pytest.raises(ConfigError):
        check(data, FIELDS)


def test_unknown_setting():
    data = {"db": {"host": "x", "prot": 1}}
    with pytest.raises(ConfigError) as caught:
        check(data, FIELDS)
    assert caught.value.path == "db.prot"
    assert check(data, FIELDS, strict=False)["db.host"] == "x"


def test_group_as_field():
    assert check({"extra": {"a": 1}}, {"extra": Field(dict)}) == {"extra": {"a": 1}}


def test_changes():
    found = changes({"a": 1, "g": {"x": 1, "y": 2}}, {"g": {"x": 5, "y": 2}, "b": 3})
    assert [str(change) for change in found] == ["- a = 1", "+ b = 3", "~ g.x: 1 -> 5"]


def test_change_of_type():
    assert len(changes({"a": 1}, {"a": True})) == 1


def test_no_changes():
    assert changes({"a": [1]}, {"a": [1]}) == []
    assert changes({}, {}) == []


def test_summary():
    assert summary(changes({"a": 1}, {"b": 2, "c": 3})) == "2 added, 1 removed"
    assert summary([]) == "no changes"


def test_layers():
    config = Config.layers({"db": {"port": 1}}, {"db": {"port": 2, "host": "x"}})
    assert config.get("db.port") == 2
    assert config.get("db.nope", "?") == "?"
    assert config.require("db.host") == "x"


def test_require():
    with pytest.raises(ConfigError):
        Config({}).require("a")


def test_set_is_seen_by_references():
    config = Config({"host": "x", "url": "http://${host}"})
    assert config.get("url") == "http://x"
    config.set("host", "y")
    assert config.get("url") == "http://y"


def test_update_is_seen():
    config = Config({"a": 1, "b": "${a}"})
    assert config.get("b") == 1
    assert [change.path for change in config.update({"a": 2})] == ["a"]
    assert config.get("b") == 2


def test_override():
    config = Config({"db": {"port": 1}})
    config.override("db.port=8080", "tags=[a, b]", "query=x=1")
    assert config.data == {"db": {"port": 8080}, "tags": ["a", "b"], "query": "x=1"}


def test_bad_override():
    with pytest.raises(ValueError):
        Config().override("db.port")


def test_given_data_is_not_changed():
    data = {"db": {"port": 1}}
    Config(data).set("db.port", 2)
    assert data == {"db": {"port": 1}}


def test_section():
    config = Config({"name": "x", "db": {"host": "${name}.local", "port": 1}})
    assert config.section("db").get("host") == "x.local"
