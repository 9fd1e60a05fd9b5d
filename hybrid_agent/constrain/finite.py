"""Recursive schemas must have an end: a value that matches in finitely many characters.

`{"properties": {"next": {"$ref": "#"}}, "required": ["next"]}` accepts only endless values; a grammar made
from it would let a decoder start and never finish.
"""

from __future__ import annotations

from typing import Any

from hybrid_agent.constrain.problem import problem


def check_finite(root: dict[str, Any], pointers: dict[str, str]) -> None:
    """Raise if some part of the prepared schema refers to itself without a way out.

    Args:
        root: a prepared schema; `$ref` is `#` or `#/$defs/<name>`.
        pointers: the JSON pointer in the user's document for each name in `$defs`.

    Raises:
        GrammarError: naming the definition.
    """
    named: dict[str, Any] = {"#": root} | {f"#/$defs/{name}": node for name, node in root.get("$defs", {}).items()}
    where = {"#": "#"} | {f"#/$defs/{name}": pointer for name, pointer in pointers.items()}
    for name in named:
        _check_no_loop(name, named, where)
    ends: set[str] = set()
    growing = True
    while growing:
        found = {name for name, node in named.items() if name not in ends and _ends(node, ends)}
        ends |= found
        growing = bool(found)
    for name in named:
        if name not in ends:
            raise problem(where[name] + "/$ref", "the schema refers to itself without an end", "make a part optional")


def _check_no_loop(name: str, named: dict[str, Any], where: dict[str, str]) -> None:
    """A schema whose own meaning is needed to say what it means (a -> a, not through a property or item)."""
    pending, seen = [named[name]], set[str]()
    while pending:
        node = pending.pop()
        if not isinstance(node, dict):
            continue
        for key in ("allOf", "anyOf", "oneOf"):
            pending.extend(node.get(key, ()))
        reference = node.get("$ref")
        if reference == name:
            raise problem(where[name] + "/$ref", "the schema is defined as itself")
        if reference is not None and reference not in seen:
            seen.add(reference)
            pending.append(named[reference])


def _ends(node: Any, ends: set[str]) -> bool:
    """True if a finite value is known to match, given the definitions known to have one."""
    if isinstance(node, bool):
        return node
    if "$ref" in node and node["$ref"] not in ends:
        return False
    if not all(_ends(part, ends) for part in node.get("allOf", ())):
        return False
    if "anyOf" in node and not any(_ends(part, ends) for part in node["anyOf"]):
        return False
    if "const" in node or "enum" in node:
        return True
    types = node.get("type", ("null",))
    for name in [types] if isinstance(types, str) else types:
        if name == "object":
            properties, rest = node.get("properties", {}), node.get("additionalProperties", True)
            if all(_ends(properties.get(key, rest), ends) for key in node.get("required", ())):
                return True
        elif name == "array":
            first = node.get("prefixItems", [])
            least = node.get("minItems", 0)
            needed = [*first[:least], *([node.get("items", True)] if least > len(first) else [])]
            if all(_ends(part, ends) for part in needed):
                return True
        else:
            return True
    return False
