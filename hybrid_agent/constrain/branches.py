"""Splitting a discriminated union into its cases, each with the text that every one of its values begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]


@dataclass(frozen=True)
class Branch:
    """One case of a union: `schema` accepts exactly the texts of the union that begin with `prefix`."""

    prefix: bytes
    schema: Schema


def split(schema: Schema, forced: Callable[[Schema], bytes]) -> list[Branch]:
    """Return the cases of a prepared schema; no prefix begins another.

    Args:
        schema: prepared; usually `{"anyOf": [...]}` of objects that open with constants.
        forced: gives the text that all values of a schema begin with.
    """
    defs = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    cases = _expand({key: value for key, value in schema.items() if key != "$defs"})
    branches = sorted(((forced({**case, **defs}), case) for case in cases), key=lambda pair: pair[0])
    groups: list[tuple[bytes, list[Schema]]] = []
    for prefix, case in branches:
        if groups and prefix.startswith(groups[-1][0]):
            groups[-1][1].append(case)
        else:
            groups.append((prefix, [case]))
    return [
        Branch(prefix, {**(members[0] if len(members) == 1 else {"anyOf": members}), **defs})
        for prefix, members in groups
    ]


def _expand(node: Any) -> list[Any]:
    """The alternatives of a schema, as far as they are told apart by what is written first."""
    if not isinstance(node, dict):
        return [node]
    if set(node) == {"anyOf"}:
        return [case for branch in node["anyOf"] for case in _expand(branch)]
    if node.get("type") != "object" or set(node) & {"anyOf", "allOf", "oneOf", "$ref", "enum", "const"}:
        return [node]
    for name, part in node.get("properties", {}).items():
        if name not in node.get("required", ()):
            break
        if isinstance(part, dict) and "const" in part:
            continue
        cases = _expand(part)
        if len(cases) == 1:
            break
        return [{**node, "properties": {**node["properties"], name: case}} for case in cases]
    return [node]
