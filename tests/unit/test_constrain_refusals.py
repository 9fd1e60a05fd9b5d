"""What cannot be enforced is an error that names the keyword; nothing else ever escapes."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
from constrain_cases import byte_tokenizer

from hybrid_agent.constrain import ConstraintError, Grammar, allowed, grammar
from hybrid_agent.errors import GrammarError, InputError

STRING = {"type": "string"}
REFUSED: list[tuple[str, Any]] = [
    ("#/uniqueItems", {"type": "array", "uniqueItems": True}),
    ("#/contains", {"type": "array", "contains": {"const": 1}}),
    ("#/minContains", {"type": "array", "minContains": 1}),
    ("#/maxContains", {"type": "array", "maxContains": 1}),
    ("#/propertyNames", {"type": "object", "propertyNames": {"maxLength": 3}}),
    ("#/dependentSchemas", {"dependentSchemas": {"a": True}}),
    ("#/dependentRequired", {"dependentRequired": {"a": ["b"]}}),
    ("#/dependencies", {"dependencies": {"a": ["b"]}}),
    ("#/not", {"not": {"type": "string"}}),
    ("#/if", {"if": True, "then": False}),
    ("#/then", {"then": False}),
    ("#/else", {"else": False}),
    ("#/unevaluatedProperties", {"unevaluatedProperties": False}),
    ("#/unevaluatedItems", {"unevaluatedItems": False}),
    ("#/additionalItems", {"items": True, "additionalItems": False}),
    ("#/$dynamicRef", {"$dynamicRef": "#a"}),
    ("#/$dynamicAnchor", {"$dynamicAnchor": "a"}),
    ("#/$recursiveRef", {"$recursiveRef": "#"}),
    ("#/$schema", {"$schema": "http://json-schema.org/draft-07/schema#"}),
    ("#/properties/a/$id", {"properties": {"a": {"$id": "x"}}}),
    ("#/nullable", {"type": "string", "nullable": True}),
    ("#/maxLenght", {"type": "string", "maxLenght": 3}),
    ("#/properties/a~1b/not", {"properties": {"a/b": {"not": {}}}}),
    ("#/items/anyOf/1/contains", {"items": {"anyOf": [True, {"contains": {}}]}}),
    ("#/$defs/x/uniqueItems", {"$ref": "#/$defs/x", "$defs": {"x": {"uniqueItems": True}}}),
    ("#/format", {"type": "string", "format": "iri"}),
    ("#/format", {"type": "string", "format": "unknown"}),
    ("#/multipleOf", {"type": "number", "multipleOf": 0.1}),
    ("#/multipleOf", {"type": "integer", "multipleOf": 0}),
    ("#/minProperties", {"type": "object", "minProperties": 2}),
    (
        "#/minProperties",
        {
            "type": "object",
            "properties": {"a": True, "b": True, "c": True},
            "additionalProperties": False,
            "minProperties": 2,
        },
    ),
    ("#/maxProperties", {"type": "object", "properties": {"a": True, "b": True, "c": True}, "maxProperties": 2}),
    ("#/patternProperties", {"type": "object", "patternProperties": {"^a": True, "b$": {"type": "null"}}}),
    ("#/oneOf", {"oneOf": [{"type": "integer"}, {"type": "number"}]}),
    ("#/oneOf", {"oneOf": [{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}]}),
    ("#/$ref", {"$ref": "https://example.com/schema.json"}),
    ("#/$ref", {"$ref": "other.json#/a"}),
    ("#/$ref", {"$ref": "#/$defs/none"}),
    ("#/$ref", {"$ref": "#"}),
    (
        "#/$defs/a/$ref",
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}},
    ),
    ("#/$ref", {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}),
    ("#/pattern", {"type": "string", "pattern": "(?=a)b"}),
    ("#/pattern", {"type": "string", "pattern": r"(a)\1"}),
    ("#/pattern", {"type": "string", "pattern": r"\bword"}),
    ("#/pattern", {"type": "string", "pattern": "(?i)a"}),
    ("#/pattern", {"type": "string", "pattern": "a$b"}),
    ("#/pattern", {"type": "string", "pattern": "("}),
    ("#/pattern", {"type": "string", "pattern": "a{,2}"}),
    ("#/minLength", {"type": "string", "minLength": 3, "maxLength": 2}),
    (
        "#/properties/a/minItems",
        {"properties": {"a": {"type": "array", "minItems": 2, "maxItems": 1}}, "required": ["a"], "type": "object"},
    ),
    ("#/enum", {"enum": []}),
    ("#/enum", {"enum": ["a"], "type": "integer"}),
    ("#/const", {"const": 2**53 + 1}),
    ("#/const", {"const": float("nan")}),
    ("#/const", {"const": "bell \x07"}),
    ("#/maximum", {"type": "integer", "maximum": 10**20}),
    ("#/exclusiveMinimum", {"type": "integer", "minimum": 1, "exclusiveMinimum": True}),
    ("#/type", {"type": "text"}),
    ("#/type", {"type": []}),
    ("#/items", {"items": [{"type": "null"}]}),
    ("#/required", {"required": "a"}),
    ("#/maxLength", {"maxLength": -1}),
    ("#/properties", {"properties": []}),
    ("#", False),
    ("#", None),
    ("#", [1]),
    ("#", "string"),
]


@pytest.mark.parametrize(("pointer", "schema"), REFUSED, ids=[f"{i}:{p}" for i, (p, _) in enumerate(REFUSED)])
def test_refused_with_pointer_and_keyword(pointer: str, schema: Any) -> None:
    with pytest.raises(GrammarError) as caught:
        grammar(schema, byte_tokenizer())
    assert caught.value.field == pointer
    assert caught.value.where == "JSON schema" and pointer in str(caught.value) and caught.value.what


def test_options_hidden_in_the_schema_do_nothing() -> None:
    loose = {"x-guidance": {"lenient": True, "whitespace_flexible": True}, "type": "array", "items": {"const": 1}}
    matcher = grammar(loose, byte_tokenizer()).matcher()
    with pytest.raises(ConstraintError):
        matcher.advance(byte_tokenizer().encode("[ 1]").ids)
    with pytest.raises(GrammarError):
        grammar({**loose, "uniqueItems": True}, byte_tokenizer())


def test_a_key_cannot_be_smuggled_in_by_an_escape() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "string"}}
    matcher = grammar(schema, byte_tokenizer()).matcher()
    text = '{"\\u0061":"x"}'
    assert json.loads(text) == {"a": "x"}
    assert matcher.allowed_prefix(byte_tokenizer().encode(text).ids) == len('{"\\')


def test_tokenizers_that_cannot_be_used() -> None:
    with pytest.raises(InputError, match="fast tokenizer"):
        grammar(STRING, object())
    from tokenizers import Tokenizer, models

    with pytest.raises(InputError, match="end token"):
        grammar(STRING, Tokenizer(models.BPE(vocab={"a": 0}, merges=[])))


WORDS = (
    "type properties items enum const anyOf oneOf allOf $ref pattern format required minLength maxLength minimum "
    "maximum exclusiveMinimum multipleOf minItems maxItems additionalProperties patternProperties prefixItems "
    "minProperties maxProperties $defs $id $schema $anchor title x-span not uniqueItems nonsense definitions"
).split()


def _odd(rng: random.Random, depth: int = 0) -> Any:
    """A random value that looks more or less like a schema."""
    kind = rng.random()
    if depth > 4 or kind < 0.3:
        return rng.choice(
            [
                "string",
                "object",
                "array",
                "integer",
                "number",
                "null",
                "#",
                "#/$defs/a",
                "#/properties/a",
                "#a",
                "http://x",
                "date",
                "ipv6",
                "^a*$",
                "(",
                "[a-z]{3,5}|b",
                "a",
                "\ud800",
                "\x00",
                "é",
                0,
                1,
                2,
                3,
                -1,
                5.5,
                1e30,
                float("inf"),
                2**70,
                True,
                False,
                None,
                [],
                {},
                (),
                "a{999}{999}",
                "(a|b)*c{1,900}",
            ]
        )
    if kind < 0.4:
        return [_odd(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    out: dict[Any, Any] = {}
    if rng.random() < 0.6:
        out["type"] = rng.choice(["string", "object", "array", "integer", "number", ["string", "null"]])
    for _ in range(rng.randint(0, 3)):
        key = rng.choice(WORDS)
        if key in ("properties", "$defs", "patternProperties"):
            out[key] = {rng.choice(["a", "b", "^a", "a/b", "\n"]): _odd(rng, depth + 1) for _ in range(2)}
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems", "enum", "required") and rng.random() < 0.8:
            out[key] = [_odd(rng, depth + 1) for _ in range(rng.randint(0, 3))]
        elif key.startswith(("min", "max")) and rng.random() < 0.8:
            out[key] = rng.choice([0, 1, 2, 3, 10, 50.0])
        else:
            out[key] = _odd(rng, depth + 1)
    if rng.random() < 0.02:
        out[7] = 1
    return out


@pytest.mark.parametrize("seed", range(8))
def test_odd_schemas_compile_or_are_refused(seed: int) -> None:
    """8 x 250 odd schemas: an error of the right kind, or a grammar that never runs dry and ends in valid values."""
    rng = random.Random(seed)
    worked = 0
    for _ in range(250):
        schema = _odd(rng)
        try:
            made = grammar(schema, byte_tokenizer())
        except GrammarError as error:
            assert error.field is not None and error.field.startswith("#")
            continue
        text = _walk(made, rng)
        worked += 1
        if text is not None:
            assert jsonschema.Draft202012Validator(schema).is_valid(json.loads(text)), (schema, text)
    assert worked > 10


def _walk(made: Grammar, rng: random.Random) -> str | None:
    """A random text of the grammar, or None if it grows too long; closing characters are preferred."""
    matcher, tokens = made.matcher(), list[int]()
    while len(tokens) < 120:
        choices = allowed(matcher.mask())
        assert choices, made.schema
        closing = [t for t in choices if t == made.eos_token or made.trie.decode_bytes([t]) in (b'"', b"]", b"}")]
        token = rng.choice(closing if closing and rng.random() < 0.6 else choices)
        if token == made.eos_token:
            return made.trie.decode_bytes(tokens).decode()
        matcher.advance([token])
        tokens.append(token)
    return None


def test_unused_definitions_may_be_anything() -> None:
    with pytest.raises(GrammarError, match="no value matches"):
        grammar(
            {"allOf": [{"type": "null"}, {"type": "string"}], "$defs": 3, "definitions": {"a": 4}}, byte_tokenizer()
        )


def test_deep_and_circular_schemas_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"items": deep}
    circular: dict[str, Any] = {"type": "array"}
    circular["items"] = circular
    for schema in (deep, circular, {"const": [[[deep]]]}, {"type": "string", "pattern": "(" * 400 + ")" * 400}):
        try:
            grammar(schema, byte_tokenizer())
        except GrammarError:
            continue
        assert "pattern" in schema
