"""Proving that two schemas share no value, so that `oneOf` means the same as `anyOf`."""

from __future__ import annotations

import json
from typing import Any

_EVERY = frozenset({"null", "boolean", "number", "string", "array", "object"})
MAX_DEPTH = 12
MAX_STEPS = 20_000


class Disjoint:
    """Answers for the schemas of one prepared document. `False` means "not proven"."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._steps = 0

    def apart(self, a: Any, b: Any, depth: int = 0) -> bool:
        """True if no value can match both."""
        self._steps += 1
        if depth > MAX_DEPTH or self._steps > MAX_STEPS:
            return False
        if a is False or b is False:
            return True
        if a is True or b is True:
            return False
        for first, second in ((a, b), (b, a)):
            for part in self._parts(first):
                if self.apart(part, second, depth + 1):
                    return True
            for key in ("anyOf", "oneOf"):
                if key in first and all(self.apart(part, second, depth + 1) for part in first[key]):
                    return True
        if not (_types(a) & _types(b)):
            return True
        values_a, values_b = _values(a), _values(b)
        if values_a is not None and values_b is not None and not (values_a & values_b):
            return True
        return _types(a) & _types(b) == {"object"} and self._keys_apart(a, b, depth)

    def _parts(self, schema: dict[str, Any]) -> list[Any]:
        """What `schema` also has to match: the target of its reference, its allOf."""
        parts = list(schema.get("allOf", ()))
        reference = schema.get("$ref")
        if reference == "#":
            parts.append(self._root)
        elif isinstance(reference, str):
            parts.append(self._root["$defs"][reference.rsplit("/", 1)[1]])
        return parts

    def _keys_apart(self, a: dict[str, Any], b: dict[str, Any], depth: int) -> bool:
        for key in dict.fromkeys([*a.get("required", ()), *b.get("required", ())]):
            if self.apart(a.get("properties", {}).get(key, True), b.get("properties", {}).get(key, True), depth + 1):
                return True
        return False


def _types(schema: dict[str, Any]) -> frozenset[str]:
    """The JSON types that may match (an integer is a number)."""
    names = schema.get("type", _EVERY)
    names = {names} if isinstance(names, str) else set(names)
    allowed = frozenset("number" if name == "integer" else name for name in names)
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return allowed if values is None else allowed & {_type_of(value) for value in values}


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _values(schema: dict[str, Any]) -> frozenset[str] | None:
    """The listed values as comparable text, or None if the schema lists none."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else frozenset(json.dumps(value, sort_keys=True) for value in values)
