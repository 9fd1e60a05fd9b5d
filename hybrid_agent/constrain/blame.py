"""When the library refuses a prepared schema: find the smallest part of the user's schema that it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from hybrid_agent.constrain.problem import problem, step
from hybrid_agent.errors import GrammarError

MAX_TRIES = 200
# (words of the library's message, keywords that they are about, what to tell the user)
_MEANINGS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("patternProperty", ("patternProperties",), "two patterns may match the same property name"),
    ("min/maxProperties", ("minProperties", "maxProperties"), "needs every listed property to be required"),
    ("minProperties", ("minProperties", "maxProperties"), "no object can have that many properties"),
    ("oneOf", ("oneOf",), "the branches may overlap"),
    ("circular", ("$ref",), "a schema that refers to itself cannot have keywords next to $ref"),
    ("minLength", ("minLength", "maxLength"), "no string can be that long and that short"),
    ("minItems", ("minItems", "maxItems"), "no list can have that many items"),
    ("Regex is empty", ("pattern", "format", "minLength"), "no string matches"),
    ("if regex is empty", ("pattern", "format"), "too complex to enforce"),
    ("multipleOf", ("multipleOf",), "no number in range is such a multiple"),
    ("Unsatisfiable", ("enum", "const", "allOf", "anyOf", "required", "type", "minimum"), "no value matches"),
    ("too", ("pattern", "anyOf", "properties", "maxItems", "maxLength"), "too large a grammar"),
    ("limit", ("pattern", "anyOf", "properties", "maxItems", "maxLength"), "too large a grammar"),
)


def blame(schema: Any, complaint: str, check: Callable[[Any], str | None]) -> GrammarError:
    """Return the error to raise for `complaint`.

    Args:
        schema: the user's schema.
        complaint: the library's message.
        check: compiles a schema and returns the library's message, or None; may raise GrammarError.
    """
    at, node = "#", schema
    tries = 0
    moved = True
    while moved and tries < MAX_TRIES:
        moved = False
        for pointer, part in _children(node, at):
            tries += 1
            if tries > MAX_TRIES:
                break
            try:
                found = check(_standing_alone(part, schema))
            except GrammarError:
                continue
            if found is not None:
                at, node, complaint, moved = pointer, part, found, True
                break
    line = re.sub(r"\s+", " ", complaint.split("<state>")[0]).strip()[:200]
    for words, keywords, meaning in _MEANINGS:
        if words in complaint:
            keyword = next((key for key in keywords if isinstance(node, dict) and key in node), None)
            if keyword is not None:
                return problem(step(at, keyword), f"{keyword!r} cannot be enforced: {meaning} ({line})")
            return problem(at, f"{meaning} ({line})")
    return problem(at, f"cannot be enforced: {line}")


def _children(node: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Yield the subschemas of one schema."""
    if not isinstance(node, dict):
        return
    for key in ("properties", "patternProperties", "$defs", "definitions"):
        # Definitions that nothing refers to were not checked: they may be anything.
        if isinstance(node.get(key), dict):
            yield from ((step(at, key, name), part) for name, part in node[key].items())
    for key in ("allOf", "anyOf", "oneOf", "prefixItems"):
        if isinstance(node.get(key), list | tuple):
            yield from ((step(at, key, index), part) for index, part in enumerate(node[key]))
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield step(at, key), node[key]


def _standing_alone(part: Any, root: Any) -> Any:
    """Give a subschema the definitions it may refer to."""
    if not isinstance(part, dict) or not isinstance(root, dict):
        return part
    return {**{key: root[key] for key in ("$defs", "definitions") if key in root}, **part}
