import pytest
from confmerge import ConfigError, from_environment, parse_ini
from confmerge.values import parse_value


@pytest.mark.parametrize(
    "text,value",
    [
        ("12", 12),
        ("-1.5", -1.5),
        ("yes", True),
        ("Off", False),
        ("null", None),
        ("word", "word"),
        ("\tpadded\n", "padded"),
        ("1.2.3", "1.2.3"),
        ("", ""),
    ],
)
def test_values(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_quotes_keep_text():
    assert parse_value('"12"') == "12"
    assert parse_value("' yes '") == " yes "


def test_one_quote_is_text():
    assert parse_value('"') == '"'


def test_lists():
    assert parse_value("[1, two, [3]]") == [1, "two", [3]]
    assert parse_value("[]") == []


def test_comma_in_quotes():
    assert parse_value('["a, b", c]') == ["a, b", "c"]


def test_ini():
    text = "name = demo\n\n[db]\nport = 5432\n; no\n[db.pool]\nsize = 4\n"
    assert parse_ini(text) == {"name": "demo", "db": {"port": 5432, "pool": {"size": 4}}}


def test_ini_value_with_equals_sign():
    assert parse_ini("url = http://x/?a=1&b=2") == {"url": "http://x/?a=1&b=2"}


def test_ini_comments_after_values():
    assert parse_ini("a = 1 # one\nb = x#y\nc = 'x # y'") == {"a": 1, "b": "x#y", "c": "x # y"}


def test_ini_empty_value():
    assert parse_ini("a =") == {"a": ""}


def test_ini_section_again():
    assert parse_ini("[a]\nx = 1\n[b]\ny = 2\n[a]\nz = 3") == {"a": {"x": 1, "z": 3}, "b": {"y": 2}}


def test_ini_empty_section():
    assert parse_ini("[a]") == {"a": {}}


@pytest.mark.parametrize("line", ["text", "[open", "[]", "=1"])
def test_ini_errors(line):
    with pytest.raises(ConfigError, match="line 2"):
        parse_ini("a = 1\n" + line)


def test_environment():
    found = from_environment("APP_", {"APP_PORT": "80", "OTHER": "1", "APP_DB__HOST": "x"})
    assert found == {"port": 80, "db": {"host": "x"}}


def test_environment_deep():
    assert from_environment("A_", {"A_X__Y__Z": "1", "A_X__Y__W": "2"}) == {"x": {"y": {"z": 1, "w": 2}}}


def test_environment_single_underscores_stay():
    assert from_environment("APP_", {"APP_LOG_LEVEL": "info"}) == {"log_level": "info"}


def test_environment_nothing_after_the_prefix():
    assert from_environment("APP_", {"APP_": "1", "APP_A__": "2"}) == {}


@pytest.mark.parametrize("names", [["APP_DB", "APP_DB__PORT"], ["APP_DB__PORT", "APP_DB"]])
def test_environment_value_cannot_hide_group(names):
    assert from_environment("APP_", dict.fromkeys(names, "5")) == {"db": {"port": 5}}
