"""The masks accept exactly the texts that jsonschema validates: brute force on small vocabularies."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from constrain_cases import accepted, byte_tokenizer, valid

from hybrid_agent.constrain import grammar

OBJECT = {"type": "object"}


class Case(NamedTuple):
    schema: Any
    pieces: str | list[str]
    length: int
    order: tuple[str, ...] = ()
    at_least: int = 1  # how many texts must be found: guards against an alphabet that proves nothing


def closed(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema if required is None else {**schema, "required": required}


PAIRS = ["{", "}", ",", '"a":', '"b":', "1", '"x"']
CASES = {
    "null": Case({"type": "null"}, ["n", "u", "l", "null", " "], 6),
    "boolean": Case({"type": "boolean"}, ["true", "f", "alse", "t", "rue"], 4, at_least=2),
    "integer": Case({"type": "integer"}, "-019", 6, at_least=300),
    "integer range": Case({"type": "integer", "minimum": -12, "maximum": 105}, "-0159", 5, at_least=20),
    "integer above": Case({"type": "integer", "exclusiveMinimum": 9}, "-0189", 5, at_least=50),
    "integer below": Case({"type": "integer", "exclusiveMaximum": -9}, "-0189", 5, at_least=50),
    "integer multiple": Case({"type": "integer", "multipleOf": 3, "maximum": 120}, "-0236", 5, at_least=20),
    "number": Case({"type": "number"}, "-0.5e", 6, at_least=100),
    "number range": Case({"type": "number", "minimum": -1.5, "exclusiveMaximum": 2.05}, "-0125.", 6, at_least=100),
    "number multiple": Case({"type": "number", "multipleOf": 4, "minimum": 0}, "0248", 5, at_least=20),
    "enum of strings": Case({"enum": ["a", "ab", "b"]}, ['"', "a", "b", "ab", '"a'], 6, at_least=3),
    "enum of anything": Case(
        {"enum": [1, "1", None, True, [1], {"a": 1}, -2]},
        ['"', "1", "[", "]", "{", "}", '"a":', "null", "true", "-", "2"],
        4,
        at_least=7,
    ),
    "const number": Case({"const": 10}, "01.", 4),
    "const object": Case({"const": {"b": 1, "a": "x"}}, PAIRS, 7, ("b", "a")),
    "string": Case({"type": "string"}, ['"', "a", "\\", "n", "é", " "], 5, at_least=100),
    "string escapes": Case({"enum": ['é"\n', "\\", "\t"]}, ['"', "\\", "n", "é", "t", "\n"], 7, at_least=3),
    "string length": Case({"type": "string", "minLength": 1, "maxLength": 3}, ['"', "a", "é", "\\n"], 6, at_least=30),
    "emoji length": Case({"type": "string", "maxLength": 2}, ['"', "😀", "a"], 6, at_least=5),
    "pattern": Case({"type": "string", "pattern": "^a+b?$"}, '"ab', 7, at_least=7),
    "pattern found inside": Case({"type": "string", "pattern": "ab"}, '"abc', 6, at_least=20),
    "pattern one side": Case({"type": "string", "pattern": "^a|b$"}, '"abc', 5, at_least=15),
    "pattern groups": Case({"type": "string", "pattern": "^(?:[^b]|(bc)*)$"}, '"abc', 7, at_least=5),
    "pattern digits": Case({"type": "string", "pattern": r"^\d{2}[-.]\w$"}, '"1-a.', 6, at_least=4),
    "pattern and length": Case({"type": "string", "pattern": "^a*$", "minLength": 2}, '"a', 8, at_least=3),
    "pattern dot": Case({"type": "string", "pattern": "a.b"}, ['"', "a", "b", "\\n", "é"], 6, at_least=4),
    "array": Case({"type": "array", "items": {"type": "null"}}, ["[", "]", "null", ","], 7, at_least=4),
    "array bounds": Case(
        {"type": "array", "items": {"enum": [1, 2]}, "minItems": 1, "maxItems": 3}, "[]12,", 7, at_least=14
    ),
    "tuple": Case(
        {"type": "array", "prefixItems": [{"const": 1}, {"type": "null"}], "items": False},
        ["[", "]", "1", ",", "null"],
        6,
        at_least=3,
    ),
    "tuple open": Case(
        {"type": "array", "prefixItems": [{"const": 1}], "items": {"const": 2}, "maxItems": 3}, "[]12,", 7, at_least=4
    ),
    "optional properties": Case(closed(a={"const": 1}, b={"const": "x"}), PAIRS, 7, ("a", "b"), 4),
    "required properties": Case(closed(["b"], a={"const": 1}, b={"const": "x"}), PAIRS, 7, ("a", "b"), 2),
    "order as declared": Case(closed(["a", "b"], b={"const": 1}, a={"const": 1}), PAIRS, 7, ("b", "a")),
    "nested objects": Case(closed(["a"], a=closed(b={"enum": [1, "x"]})), PAIRS, 8, ("a", "b"), 3),
    "open object": Case(
        {**OBJECT, "properties": {"a": {"const": 1}}, "additionalProperties": {"const": "x"}}, PAIRS, 5, ("a", "b"), 3
    ),
    "map": Case({**OBJECT, "additionalProperties": {"type": "integer"}, "maxProperties": 1}, PAIRS, 6, (), 3),
    "not empty": Case({**closed(a={"const": 1}, b={"const": 1}), "minProperties": 1}, PAIRS, 7, ("a", "b"), 3),
    "pattern properties": Case(
        {**OBJECT, "patternProperties": {"^a": {"const": 1}}, "additionalProperties": {"const": "x"}}, PAIRS, 5, (), 3
    ),
    "property and pattern": Case(
        {
            **OBJECT,
            "properties": {"a": {"type": "integer"}},
            "patternProperties": {"a": {"enum": [1, "x"]}},
            "additionalProperties": False,
        },
        PAIRS,
        5,
        ("a",),
        2,
    ),
    "anyOf": Case(
        {"anyOf": [{"type": "null"}, {"const": 1}, {"type": "array", "maxItems": 0}]},
        ["[", "]", "1", "null"],
        4,
        at_least=3,
    ),
    "anyOf next to type": Case(
        {"type": "string", "anyOf": [{"maxLength": 1}, {"pattern": "^ab"}]}, '"ab', 6, at_least=8
    ),
    "oneOf by type": Case({"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]}, '"1a-', 5, at_least=5),
    "oneOf by key": Case(
        {
            "oneOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/s"}],
            "$defs": {
                "n": closed(["a", "b"], a={"const": 1}, b={"const": 1}),
                "s": closed(["a"], a={"const": "x"}, b={"const": 1}),
            },
        },
        PAIRS,
        7,
        ("a", "b"),
        3,
    ),
    "allOf": Case({"allOf": [{"type": "integer", "minimum": 2}, {"maximum": 11}]}, "0125", 4, at_least=3),
    "allOf objects": Case(
        {"allOf": [closed(["a"], a={"enum": [1, "x"]}, b=True), {"properties": {"a": {"type": "integer"}}}]},
        PAIRS,
        7,
        ("a", "b"),
        2,
    ),
    "ref": Case(
        {"type": "array", "items": {"$ref": "#/$defs/x"}, "maxItems": 2, "$defs": {"x": {"enum": [1, 2]}}},
        "[]12,",
        6,
        at_least=7,
    ),
    "ref with odd name": Case({"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"const": 1}}}, "12", 2),
    "ref and sibling": Case(
        {"$ref": "#/$defs/x", "maximum": 1, "$defs": {"x": {"type": "integer", "minimum": 0}}}, "-012", 3, at_least=2
    ),
    "anchor": Case({"$ref": "#one", "$defs": {"x": {"$anchor": "one", "const": 1}}}, "12", 2),
    "recursive": Case({"type": "array", "items": {"$ref": "#"}}, "[],", 9, at_least=5),
    "nullable": Case({"type": ["integer", "null"], "minimum": 1}, ["0", "1", "null", "-"], 4, at_least=5),
    "constraints without type": Case(
        {"maxLength": 1, "maximum": 1, "maxItems": 0}, ['"', "1", "2", "a", "[", "]", "null"], 4, at_least=5
    ),
    "boolean true": Case(True, ["[", "]", "1", "null", ","], 5, at_least=5),
    "false property": Case(
        {**OBJECT, "properties": {"a": False, "b": {"const": 1}}, "additionalProperties": False},
        PAIRS,
        6,
        ("a", "b"),
        2,
    ),
    "annotations": Case({"title": "t", "x-span": "word", "default": 3, "const": 1, "$comment": "c"}, "13", 2),
    "format ipv4": Case({"type": "string", "format": "ipv4"}, ['"', "1.", "256", "0", "."], 6, at_least=1),
    "format without type": Case(
        {"format": "date", "type": ["string", "null"]},
        ['"', "2023-", "2024-", "02-", "29", "28", "null"],
        5,
        at_least=4,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_accepts_what_jsonschema_validates(name: str) -> None:
    case = CASES[name]
    pieces = list(case.pieces)
    tokenizer = byte_tokenizer(*[piece for piece in pieces if len(piece.encode()) > 1])
    wanted = valid(case.schema, pieces, case.length, list(case.order))
    assert len(wanted) >= case.at_least
    found = accepted(grammar(case.schema, tokenizer), tokenizer, pieces, case.length)
    assert found <= wanted
    # A number may be left out where its value has a shorter spelling (2 for 2.0); nothing else may.
    assert {text for text in wanted - found if not SPELLED_LONG.search(text)} == set()
    assert all("-0" in text or "." in text for text in wanted - found)


SPELLED_LONG = re.compile(r"-0(?![.\d])|\.\d*0(?!\d)|-0\.0*(?!\d)")
