"""The fixed vocabulary of calls: what they say that is not copied from the window. Learnt from training calls.

Beside it the words that the decoder has read in training, by which others are told (hybrid_agent/decoder/aliases.py).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from hybrid_agent.constrain.spans import Spans, find_spans, pieces_of, runs_of
from hybrid_agent.errors import InputError
from hybrid_agent.types import Window

FORMAT = 1
OF_CALLS = ("words", "text", "shell", "code")
OPTIONAL = ("known", "stand_ins", "quoted")
_JOINTS = re.compile(r"([./])")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Sorted tuples of literals.

    Attributes:
        words: whole values of word fields ("true", "600"); {} stands for a name of the step ("services.{}.image").
        text: runs of text fields.
        shell: pieces of shell commands ("sed", "-i").
        code: identifiers and numbers of code.
        known: words of training texts, in lower case; optional in a file.
        stand_ins: nouns that training drew names from, and that mean nothing else; optional in a file.
        quoted: words of quoted texts of several words in training, in lower case; optional in a file.
    """

    words: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    shell: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()

    def to_json(self) -> str:
        """One JSON object, readable by `from_json`."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "lexicon") -> Lexicon:
        """Read what `to_json` wrote.

        Raises:
            InputError: not such a text.
        """
        try:
            data = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"is not JSON: {error}", where=where) from None
        names = [field.name for field in fields(cls)]
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise InputError("is not a lexicon of format 1", where=where, field="format", fix="make it anew")
        if extra := set(data) - {"format", *names}:
            raise InputError("unknown field", where=where, field=sorted(extra)[0])
        data = {name: [] for name in OPTIONAL} | data
        for name in names:
            value: Any = data.get(name)
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise InputError("must be a list of strings", where=where, field=name)
        return cls(**{name: tuple(data[name]) for name in names})

    @classmethod
    def learn(
        cls, examples: Iterable[tuple[Window, Mapping[str, Any], Mapping[str, Any]]], min_count: int = 3
    ) -> Lexicon:
        """Count what the calls say beyond the spans of their windows; keep what is said at least `min_count` times.

        Args:
            examples: (window, call, schema of calls) of training episodes.
        """
        counts: dict[str, Counter[str]] = {name: Counter() for name in OF_CALLS}
        last: tuple[Window | None, Spans] = (None, Spans())
        for window, call, schema in examples:
            if window is not last[0]:
                last = (window, find_spans(window))
            for kind, _, value in span_fields(schema, call):
                name = "words" if kind == "word" else kind
                if name in counts:
                    missing = set(missing_parts(kind, value, last[1]))
                    counts[name].update({_template(part, last[1]) for part in missing} if kind == "word" else missing)
        return cls(
            **{
                name: tuple(sorted(part for part, count in found.items() if count >= min_count))
                for name, found in counts.items()
            }
        )


def _template(word: str, spans: Spans) -> str:
    """The word with a name of the step taken out, if it holds one between dots or slashes."""
    parts = _JOINTS.split(word)
    for index, part in enumerate(parts):
        if len(parts) > 1 and part in spans.names:
            return "".join([*parts[:index], "{}", *parts[index + 1 :]])
    return word


def lexicon_words(spans: Spans, lexicon: Lexicon) -> list[str]:
    """The lexicon's words, those with a {} once for each name of the step."""
    words = []
    for word in lexicon.words:
        words.extend([word.replace("{}", name) for name in spans.names] if "{}" in word else [word])
    return words


def visible_parts(kind: str, spans: Spans) -> tuple[str, ...]:
    """What a field of this kind may take from the window."""
    return {"word": spans.words, "text": spans.runs, "shell": spans.pieces, "code": spans.runs}[kind]


def parts_of(kind: str, value: str) -> list[str]:
    """A value cut into the units that the lexicon lists for its kind."""
    if kind == "word":
        return [value]
    return pieces_of(value) if kind == "shell" else runs_of(value)


def missing_parts(kind: str, value: str, spans: Spans, lexicon: Lexicon | None = None) -> list[str]:
    """The units of `value` that are neither visible nor in the lexicon."""
    known = set(visible_parts(kind, spans))
    fixed: set[str] = set()
    if lexicon is not None:
        fixed.update(lexicon_words(spans, lexicon) if kind == "word" else getattr(lexicon, kind))
    missing = [part for part in parts_of(kind, value) if part not in known and part not in fixed]
    if kind != "shell":
        return missing
    rests = (_without_stem(part, known | fixed) for part in missing)
    return [rest for rest in rests if rest not in fixed]


def _without_stem(piece: str, known: set[str]) -> str:
    """A dotted piece without the longest known part that it begins with (test_cart.Test.test_sum: Test.test_sum)."""
    stem, dot, _ = piece.rpartition(".")
    while dot:
        if stem in known:
            return piece[len(stem) + 1 :]
        stem, dot, _ = stem.rpartition(".")
    return piece


def span_fields(schema: Any, value: Any, root: Any = None, at: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (x-span kind, dotted path, string) for each marked string of `value`, by the branches that fit it."""
    root = schema if root is None else root
    if not isinstance(schema, Mapping):
        return
    if isinstance(schema.get("$ref"), str):
        yield from span_fields(resolve_local(schema["$ref"], root), value, root, at)
    for key in ("anyOf", "oneOf"):
        for branch in schema.get(key, ()):
            if fits(branch, value, root):
                yield from span_fields(branch, value, root, at)
                break
    for branch in schema.get("allOf", ()):
        yield from span_fields(branch, value, root, at)
    if isinstance(value, str) and "x-span" in schema:
        yield str(schema["x-span"]), at, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key in schema.get("properties", {}):
                yield from span_fields(schema["properties"][key], item, root, f"{at}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from span_fields(schema.get("items", True), item, root, f"{at}.{index}".lstrip("."))


def resolve_local(reference: str, root: Any) -> Any:
    """The schema that `#/$defs/name` or `#` stands for."""
    node = root
    for token in reference.lstrip("#").split("/")[1:]:
        node = node[token.replace("~1", "/").replace("~0", "~")]
    return node


def fits(schema: Any, value: Any, root: Any) -> bool:
    """True if `value` may belong to this branch: types, constants and property names agree (not a full validation)."""
    if isinstance(schema, bool):
        return schema
    if isinstance(schema.get("$ref"), str):
        return fits(resolve_local(schema["$ref"], root), value, root)
    if "const" in schema and schema["const"] != value:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    for key in ("anyOf", "oneOf"):
        if key in schema and not any(fits(branch, value, root) for branch in schema[key]):
            return False
    names = schema.get("type")
    kinds: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object"}
    kind = kinds.get(type(value), "array" if isinstance(value, list | tuple) else "null")
    if names is not None and kind not in (names if isinstance(names, list) else [names]):
        return kind == "integer" and "number" in (names if isinstance(names, list) else [names])
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        if any(key not in value for key in schema.get("required", ())):
            return False
        if schema.get("additionalProperties") is False and any(key not in properties for key in value):
            return False
        return all(fits(properties[key], item, root) for key, item in value.items() if key in properties)
    if isinstance(value, list | tuple):
        return all(fits(schema.get("items", True), item, root) for item in value)
    return True
