"""The schema of calls and the parser: what it accepts, and 5,000 malformed calls with a clear line for each."""

import copy
import json
import random
import subprocess
import sys
from typing import Any

import jsonschema
import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.tools.registry import TOOLS, call_json, call_schema, parse_call
from hybrid_agent.types import ToolCall

GOOD: list[dict[str, Any]] = [
    {"tool": "fs", "args": {"op": "list", "path": "."}},
    {"tool": "fs", "args": {"op": "find", "path": ".", "name": "*.py"}},
    {"tool": "fs", "args": {"op": "write", "path": "a/b", "text": "x\ny\n"}},
    {"tool": "fs", "args": {"op": "move", "path": "a", "to": "b"}},
    {"tool": "fs", "args": {"op": "chmod", "path": "a", "mode": "755"}},
    {"tool": "fs", "args": {"op": "link", "path": "a", "to": "b"}},
    {"tool": "editor", "args": {"path": "a", "edits": [{"op": "replace", "find": "x", "text": ""}]}},
    {
        "tool": "editor",
        "args": {
            "path": "c.yaml",
            "edits": [
                {"op": "set", "key": "a.b", "value": "1"},
                {"op": "unset", "key": "c"},
                {"op": "delete", "find": "z"},
            ],
        },
    },
    {"tool": "exec_code", "args": {"lang": "python", "code": "print(1)"}},
    {"tool": "shell", "args": {"cmd": "ls"}, "policy": {"allow_network": False, "timeout_s": 3.0}},
    {"tool": "plan", "args": {"op": "set", "steps": ["one", "two"]}},
    {"tool": "plan", "args": {"op": "done", "check": {"kind": "command", "cmd": "true", "stdout": "x"}}},
    {"tool": "plan", "args": {"op": "done", "check": {"kind": "value", "path": "a", "key": "k", "value": "v"}}},
    {"tool": "ask", "args": {"question": "which one?"}},
    {"tool": "finish", "args": {"status": "unsure", "summary": "not sure"}},
]


@pytest.mark.parametrize("call", GOOD, ids=lambda call: call["tool"])
def test_good_calls_pass_parser_and_schema(call: dict[str, Any]) -> None:
    jsonschema.validate(call, call_schema())
    parsed = parse_call(json.dumps(call))
    assert parsed.args == call["args"]
    assert list(parsed.args) == list(call["args"])


def test_canonical_text_has_schema_order_and_no_spaces() -> None:
    call = parse_call('{"args": {"check": {"path": "a", "kind": "exists"}, "op": "done"}, "tool": "plan"}')
    assert call_json(call) == '{"tool":"plan","args":{"op":"done","check":{"kind":"exists","path":"a"}}}'


def test_schema_is_closed_ordered_and_keeps_span_marks() -> None:
    spans: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "properties" in node:
                assert node["additionalProperties"] is False
                assert [key for key in node["properties"] if key in node["required"]] == node["required"]
            assert "$ref" not in node and "title" not in node and "oneOf" not in node
            spans.update([node["x-span"]] if "x-span" in node else [])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    schema = call_schema()
    walk(schema)
    assert spans == {"path", "word", "text", "line", "shell", "code", "clause"}
    names = [option["properties"]["tool"]["const"] for option in schema["anyOf"]]
    assert names == list(TOOLS)
    first = [option["properties"]["args"].get("anyOf", [{}])[0].get("properties", {}) for option in schema["anyOf"]]
    assert next(iter(first[0])) == "op"


def test_schema_of_some_tools() -> None:
    schema = call_schema(["shell"])
    assert len(schema["anyOf"]) == 1
    schema["anyOf"].clear()
    assert len(call_schema(["shell"])["anyOf"]) == 1  # callers get copies
    with pytest.raises(InputError, match="tool"):
        call_schema(["bogus"])


def test_registry_loads_without_torch_and_parsers() -> None:
    slow = "{'torch', 'bashlex', 'ruamel.yaml', 'tomlkit'}"
    code = f"import sys, hybrid_agent.tools.registry; print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{", ["not JSON", "character"]),
        ("[]", ["JSON object"]),
        ('{"tool":"fs"}', ["args", "missing"]),
        ('{"tool":"fz","args":{}}', ["tool", "'fz'", "fs"]),
        ('{"tool":"fs","args":{"op":"reed","path":"a"}}', ["args.op", "fix: read"]),
        ('{"tool":"fs","args":{"path":"a"}}', ["args.op", "missing"]),
        ('{"tool":"fs","args":{"op":"read","path":3}}', ["args.path", "a string"]),
        ('{"tool":"fs","args":{"op":"read","path":"a","mode":"1"}}', ["args.mode", "remove it"]),
        ('{"tool":"fs","args":{"op":"chmod","path":"a","mode":"rwx"}}', ["args.mode", "octal"]),
        (
            '{"tool":"editor","args":{"path":"a","edits":[{"op":"replace","find":"x"}]}}',
            ["args.edits.0.text", "add it"],
        ),
        ('{"tool":"editor","args":{"path":"a","edits":[]}}', ["args.edits", "at least one"]),
        ('{"tool":"plan","args":{"op":"done","check":{"kind":"exits","path":"a"}}}', ["args.check.kind", "exists"]),
        ('{"tool":"finish","args":{"status":"ok","summary":""}}', ["args.status", "done"]),
        ('{"tool":"shell","args":{"cmd":"ls"},"policy":{"timeout_s":"x"}}', ["policy.timeout_s", "a number"]),
        ('{"tool":"shell","args":{"cmd":"ls"},"policy":null}', ["policy"]),
        ('{"tool":"shell","tool":"fs","args":{}}', ["tool", "twice"]),
        ('{"tool":"shell","args":{"cmd":"a\\u0000b"}}', ["args.cmd", "zero byte"]),
        ('{"tool":"fs","args":{"op":"read","path":"\\ud800"}}', ["args.path"]),
        ('{"tool":"shell","args":{"cmd":NaN}}', ["NaN"]),
        ("[" * 100000, ["call"]),
    ],
)
def test_errors_name_field_and_fix(text: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_call(text)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


JUNK: list[Any] = [
    None,
    True,
    7,
    -1.5,
    10**400,
    "",
    "x" * 50_000,
    [],
    {},
    [[]],
    {"op": "read"},
    "\ud800",
    "\0",
    "a\nb",
]


def _places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at]
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        found += _places(value, (*at, key))
    return found


def _broken(rng: random.Random) -> Any:
    call = copy.deepcopy(rng.choice(GOOD))
    kind = rng.randrange(7)
    if kind == 0:
        text = json.dumps(call)
        cut = rng.randrange(len(text))
        return text[:cut] + rng.choice(["", "}", "\x00", '"', "\\", "é"]) + text[cut + rng.randint(0, 3) :]
    if kind == 1:
        return bytes(rng.randrange(256) for _ in range(rng.randint(0, 60)))
    place = rng.choice(_places(call))
    if not place:
        return rng.choice(JUNK)
    holder = call
    for key in place[:-1]:
        holder = holder[key]
    last = place[-1]
    if kind == 2:
        del holder[last]
    elif kind == 3 and isinstance(holder, dict):
        holder[rng.choice(["extra", "Path", "päth", "a.b", "x\ny", ""])] = rng.choice(JUNK)
    elif kind == 4 and isinstance(holder, dict):
        holder[str(last) + rng.choice(["s", "_", " "])] = holder.pop(last)
    elif kind == 5 and isinstance(holder[last], str):
        holder[last] = holder[last][::-1] + rng.choice(["\0", "\ud9ff", "?"])
    else:
        holder[last] = rng.choice(JUNK)
    return call if rng.random() < 0.7 else json.dumps(call) if rng.random() < 0.5 else json.dumps(call).encode()


def test_5000_malformed_calls_each_get_one_clear_line() -> None:
    rng = random.Random(20240)
    refused = 0
    while refused < 5000:
        call = _broken(rng)
        try:
            parsed = parse_call(call)
        except InputError as error:
            refused += 1
            line = str(error)
            assert "\n" not in line and len(line) < 400 and line.isprintable(), line
            assert "(fix: " in line and "Error" not in line and "pydantic" not in line, line
            assert error.field or error.where == "call", line
        else:
            assert isinstance(parsed, ToolCall)  # the damage happened to be harmless
            jsonschema.validate(json.loads(call_json(parsed)), call_schema([parsed.tool]))
