"""Edits by text, line and key: what they produce, and that comments and layout stay."""

import json
import tomllib

import pytest

from hybrid_agent.checks.values import MISSING, equal, lookup
from hybrid_agent.tools.edit_value import set_value, unset_value
from hybrid_agent.tools.editor import apply
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.registry import parse_args

TEXT = "alpha\nbeta one\n  gamma\nbeta two\n"


def edit(before: str, /, **fields: str) -> str:
    args = parse_args("editor", {"path": "f.txt", "edits": [fields]})
    return apply("f.txt", before, args.edits[0])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"op": "replace", "find": "one", "text": "1"}, "alpha\nbeta 1\n  gamma\nbeta two\n"),
        ({"op": "replace_all", "find": "beta", "text": "b"}, "alpha\nb one\n  gamma\nb two\n"),
        ({"op": "insert", "after": "gamma", "text": "new"}, "alpha\nbeta one\n  gamma\nnew\nbeta two\n"),
        ({"op": "insert", "after": "two", "text": "a\nb\n"}, TEXT + "a\nb\n"),
        ({"op": "prepend", "text": "top"}, "top\n" + TEXT),
        ({"op": "append", "text": "end"}, TEXT + "end\n"),
        ({"op": "delete", "find": "beta"}, "alpha\n  gamma\n"),
    ],
)
def test_text_edits(fields: dict[str, str], expected: str) -> None:
    assert edit(TEXT, **fields) == expected
    assert edit(TEXT.replace("\n", "\r\n"), **fields) == expected.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"op": "replace", "find": "beta", "text": ""}, "2 times, on lines 2, 4"),
        ({"op": "replace", "find": "zeta", "text": ""}, "does not occur"),
        ({"op": "replace_all", "find": "zeta", "text": ""}, "does not occur"),
        ({"op": "insert", "after": "beta", "text": "x"}, "2 lines match"),
        ({"op": "insert", "after": "zeta", "text": "x"}, "no line"),
        ({"op": "delete", "find": "zeta"}, "no line contains"),
    ],
)
def test_text_edits_that_do_not_fit_say_why(fields: dict[str, str], message: str) -> None:
    with pytest.raises(ToolFailure, match=message):
        edit(TEXT, **fields)


def test_append_to_a_last_line_without_newline() -> None:
    assert edit("a", op="append", text="b") == "a\nb\n"
    assert edit("", op="append", text="b") == "b\n"
    assert edit("a", op="insert", after="a", text="b") == "a\nb\n"


YAML = """# head
server:
    port: 80  # http
    name: "x"
    8080: mapped

items:
    - a
    - b: 1
flag: yes
"""
TOML = '# head\ntitle = "t"  # why\n\n[a.b]\nn = 1\nl = [1, 2]\n'
INI = "; head\n[main]\nport = 80 ; http\nName=x\n\n[other]\n# c\nkey: v\n"
ENV = "# head\nPORT=80\nexport NAME='a b'\nEMPTY=\n"
JSON = '{\n    "a": {"b": 1},\n    "l": ["x", "y"],\n    "é": "ü"\n}\n'
FLAT = "# nginx like\nworkers = 4\nlog.level = info\n"


@pytest.mark.parametrize(
    ("path", "text", "key", "value", "old", "new"),
    [
        ("f.yaml", YAML, "server.port", "81", "port: 80 ", "port: 81 "),
        ("f.yml", YAML, "server.name", "1", 'name: "x"', 'name: "1"'),
        ("f.yaml", YAML, "server.8080", "m", "8080: mapped", "8080: m"),
        ("f.yaml", YAML, "items.0", "z", "- a", "- z"),
        ("f.yaml", YAML, "items.1.b", "true", "b: 1", "b: true"),
        ("f.yaml", YAML, "flag", "no", "flag: yes", "flag: no"),
        ("f.toml", TOML, "a.b.n", "2", "n = 1", "n = 2"),
        ("f.toml", TOML, "title", "7", 'title = "t"', 'title = "7"'),
        ("f.toml", TOML, "a.b.l.1", "5", "[1, 2]", "[1, 5]"),
        ("f.ini", INI, "main.port", "81", "port = 80", "port = 81"),
        ("f.cfg", INI, "main.name", "y", "Name=x", "Name=y"),
        ("f.conf", INI, "other.key", "w", "key: v", "key: w"),
        ("noname", INI, "other.key", "w", "key: v", "key: w"),
        ("f.conf", FLAT, "log.level", "debug", "level = info", "level = debug"),
        (".env", ENV, "PORT", "81", "PORT=80", "PORT=81"),
        ("prod.env", ENV, "NAME", "c d", "NAME='a b'", "NAME='c d'"),
        (".env.local", ENV, "EMPTY", "a b", "EMPTY=\n", 'EMPTY="a b"\n'),
    ],
)
def test_set_changes_one_place_and_nothing_else(path: str, text: str, key: str, value: str, old: str, new: str) -> None:
    assert text.count(old) == 1
    changed = set_value(path, text, key, value)
    assert changed == text.replace(old, new)
    assert equal(lookup(path, changed, key), value)


@pytest.mark.parametrize(
    ("path", "text", "key"),
    [
        ("f.yaml", YAML, "new.deep.key"), ("f.yaml", YAML, "server.host"), ("f.yaml", YAML, "items.2"),
        ("f.yaml", "", "a.b"), ("f.toml", TOML, "x.y.z"), ("f.toml", TOML, "a.c"), ("f.toml", "", "a.b"),
        ("f.ini", INI, "main.new"), ("f.ini", INI, "fresh.key"), ("f.ini", "", "a.b"), (".env", ENV, "NEW"),
        ("f.json", JSON, "a.c"), ("f.json", JSON, "x.y"), ("f.json", "", "a"), ("f.json", '{"a":1}', "b"),
        ("f.conf", FLAT, "fresh"),
    ],
)  # fmt: skip
def test_new_keys_are_made_and_can_be_removed_again(path: str, text: str, key: str) -> None:
    changed = set_value(path, text, key, "42")
    assert equal(lookup(path, changed, key), "42")
    for line in text.splitlines():
        if line.startswith(("#", ";")):
            assert line in changed
    without = unset_value(path, changed, key)
    assert lookup(path, without, key) is MISSING


def test_json_keeps_order_indent_and_letters() -> None:
    changed = set_value("f.json", JSON, "l.1", "null")
    assert json.loads(changed) == {"a": {"b": 1}, "l": ["x", "null"], "é": "ü"}
    assert changed.startswith('{\n    "a"') and "ü" in changed and changed.endswith("}\n")
    assert set_value("f.json", '{"a":1,"b":[1]}', "a", "2") == '{"a":2,"b":[1]}'
    assert set_value("f.json", '{"a": 1}', "a", "true") == '{"a": true}'


def test_toml_stays_valid_and_names_with_dots_are_found() -> None:
    text = '"a.b" = 1\n[t]\n"x.y" = 2\n'
    changed = set_value("f.toml", set_value("f.toml", text, "a.b", "3"), "t.x.y", "4")
    assert tomllib.loads(changed) == {"a.b": 3, "t": {"x.y": 4}}


@pytest.mark.parametrize(
    ("path", "text", "key", "message"),
    [
        ("f.json", "{", "a", "not valid JSON"),
        ("f.yaml", "a: [", "a", "not valid YAML"),
        ("f.toml", "a = ", "a", "not valid TOML"),
        ("f.yaml", YAML, "server.port.x", "single value"),
        ("f.yaml", YAML, "items.7", "only 2 entries"),
        ("f.yaml", YAML, "items.x", "must be a number"),
        ("f.yaml", YAML, "a..b", "not a dotted key"),
        ("f.bin", "hello there", "a", "cannot tell the format"),
    ],
)
def test_values_that_cannot_be_set_say_why(path: str, text: str, key: str, message: str) -> None:
    with pytest.raises(ToolFailure, match=message):
        set_value(path, text, key, "1")


@pytest.mark.parametrize("path", ["f.json", "f.yaml", "f.toml", "f.ini", ".env"])
def test_unset_of_a_missing_key_fails(path: str) -> None:
    text = {"f.json": "{}", "f.yaml": "a: 1\n", "f.toml": "a = 1\n", "f.ini": "[a]\nb = 1\n", ".env": "A=1\n"}[path]
    with pytest.raises(ToolFailure, match="no such key"):
        unset_value(path, text, "zz.b" if path != ".env" else "ZZ")
