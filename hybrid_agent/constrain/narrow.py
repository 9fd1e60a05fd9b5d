"""Narrowing a schema's `x-span` fields to what the window shows and the lexicon knows.

| x-span | the field may be |
|---|---|
| path | one of the window's paths or words |
| word | one of the window's words or the lexicon's |
| clause | one of the goal's clauses |
| line | one of the observed lines or quoted texts (words, where there are none) |
| text | any text whose [A-Za-z0-9_]+ runs are visible or in the lexicon; quoted texts of several words as a whole |
| shell | any command whose [A-Za-z0-9_.+-]+ runs (without leading dots) are visible or in the lexicon |
| code | any text whose [A-Za-z0-9_]+ runs (identifiers, numbers) are visible or in the lexicon |

A list of clauses is a way to split the goal into steps: in order, without overlap, nothing but connectives left out.

A field for which there is nothing to choose from stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hybrid_agent.constrain.lexicon import Lexicon, lexicon_words, missing_parts, parts_of, span_fields, visible_parts
from hybrid_agent.constrain.spans import Spans

KINDS = ("path", "word", "clause", "line", "text", "shell", "code")
MAX_PARTS = 1500  # alternatives of one pattern; compiling takes about 10 ms a thousand
_SUBSCHEMAS = ("properties", "patternProperties", "$defs")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties")


def narrow(schema: Mapping[str, Any], spans: Spans, lexicon: Lexicon) -> dict[str, Any]:
    """Return a copy of `schema` whose marked string fields are narrowed.

    Fields of one kind and equal limits share one definition in `$defs`, so that it is compiled once.
    Above 1,000 characters `maxLength` is dropped from patterns (it would multiply their states).
    """
    narrowing = _Narrowing(spans, lexicon)
    out: dict[str, Any] = narrowing.node(schema)
    if narrowing.defs:
        out["$defs"] = {**out.get("$defs", {}), **narrowing.defs}
    return out


def covers(schema: Mapping[str, Any], call: Mapping[str, Any], spans: Spans, lexicon: Lexicon) -> list[str]:
    """Return what of `call` the narrowed grammar could not write, as "field: missing part"; empty if it could."""
    problems = []
    for kind, at, value in span_fields(schema, call):
        if kind in ("path", "clause", "line"):
            choices = _choices(kind, spans, lexicon)
            if choices and value not in choices:
                problems.append(f"{at}: {value!r} is no {kind}")
        elif kind in KINDS and _alternatives(kind, spans, lexicon):
            if kind == "text":
                missing = _missing_prose(value, spans, lexicon)
            else:
                missing = missing_parts(kind, value, spans, lexicon)
            problems.extend(f"{at}: {part!r} is not visible" for part in dict.fromkeys(missing))
    return problems


class _Narrowing:
    def __init__(self, spans: Spans, lexicon: Lexicon) -> None:
        self.spans = spans
        self.lexicon = lexicon
        self.defs: dict[str, Any] = {}
        self.names: dict[tuple[Any, ...], str | None] = {}

    def node(self, schema: Any) -> Any:
        if not isinstance(schema, Mapping):
            return schema
        kind = schema.get("x-span")
        if kind in KINDS and schema.get("type") == "string" and "enum" not in schema and "const" not in schema:
            return self.leaf(str(kind), schema)
        items = schema.get("items")
        if isinstance(items, Mapping) and items.get("x-span") == "clause" and self.spans.plans:
            return {"enum": [list(plan) for plan in self.spans.plans]}
        out: dict[str, Any] = {}
        for key, value in schema.items():
            if key in _SUBSCHEMAS and isinstance(value, Mapping):
                out[key] = {name: self.node(part) for name, part in value.items()}
            elif key in _LISTS and isinstance(value, list | tuple):
                out[key] = [self.node(part) for part in value]
            elif key in _SINGLE:
                out[key] = self.node(value)
            else:
                out[key] = value
        return out

    def leaf(self, kind: str, schema: Mapping[str, Any]) -> Any:
        low, high = schema.get("minLength", 0), schema.get("maxLength")
        limits = (kind, low, high, schema.get("pattern"))
        if limits not in self.names:
            made = self.made(kind, schema, low, high)
            self.names[limits] = None if made is None else f"span-{kind}-{len(self.defs)}"
            if made is not None:
                self.defs[f"span-{kind}-{len(self.defs)}"] = made
        name = self.names[limits]
        return dict(schema) if name is None else {"$ref": f"#/$defs/{name}"}

    def made(self, kind: str, schema: Mapping[str, Any], low: int, high: int | None) -> dict[str, Any] | None:
        """The narrowed schema of one field, or None if there is nothing to choose from."""
        if kind in ("text", "shell", "code"):
            parts = _alternatives(kind, self.spans, self.lexicon)
            if not parts or "pattern" in schema:
                return None
            out: dict[str, Any] = {"type": "string", "pattern": runs_pattern(parts, _CLASSES[kind], self.lexicon.shell)}
            if low:
                out["minLength"] = low
            if high is not None and high <= 1000:
                out["maxLength"] = high
            return out
        choices = [
            choice
            for choice in _choices(kind, self.spans, self.lexicon)
            if low <= len(choice) and (high is None or len(choice) <= high)
        ]
        if "pattern" in schema:
            pattern = re.compile(schema["pattern"])
            choices = [choice for choice in choices if pattern.search(choice) and not choice.endswith("\n")]
        return {"type": "string", "enum": choices} if choices else None


_CLASSES = {"text": "A-Za-z0-9_", "code": "A-Za-z0-9_", "shell": "A-Za-z0-9_.+-"}


def runs_pattern(parts: Iterable[str], characters: str, tails: Iterable[str] = ()) -> str:
    """A pattern for texts whose maximal runs of `characters` are all among `parts`; the rest is free.

    Where the dot is one of the characters, a run may have dots before it, be of dots only, or go on after a
    dot with one of `tails` ("test_cart" + ".Test.test_sum").
    """
    options = _either(parts)
    if "." in characters:
        tail = _either(tails)
        more = rf"(?:\.(?:{tail}))?" if tail else ""
        options = rf"\.*(?:{options}){more}|\.+"
    return f"^[^{characters}]*(?:(?:{options})[^{characters}]+)*(?:{options})?$"


def _either(parts: Iterable[str]) -> str:
    return "|".join(re.sub(r"([^A-Za-z0-9_ -])", r"\\\1", part) for part in parts)


def _alternatives(kind: str, spans: Spans, lexicon: Lexicon) -> list[str]:
    known = lexicon_words(spans, lexicon) if kind == "word" else getattr(lexicon, kind)
    visible = spans.prose if kind == "text" else visible_parts(kind, spans)
    return list(dict.fromkeys([*visible, *known]))[:MAX_PARTS]


def _missing_prose(value: str, spans: Spans, lexicon: Lexicon) -> list[str]:
    """The runs of a text that the narrowed field could not write."""
    for text in sorted(spans.prose, key=len, reverse=True):
        if len(parts_of("text", text)) > 1:
            value = value.replace(text, " ")
    known = {*spans.prose, *lexicon.text}
    return [part for part in parts_of("text", value) if part not in known]


def _choices(kind: str, spans: Spans, lexicon: Lexicon) -> list[str]:
    if kind == "path":
        return list(dict.fromkeys([*spans.paths, *spans.words]))
    if kind == "clause":
        return list(spans.clauses)
    if kind == "line":
        return list(spans.lines or spans.words)
    return _alternatives("word", spans, lexicon)
