"""Merging nested settings."""

from __future__ import annotations

import copy
from typing import Any

DELETE = object()


def merge(base: dict[str, Any], *others: dict[str, Any], lists: str = "replace") -> dict[str, Any]:
    """The settings of all, later ones win. None of the arguments is changed, and the result shares nothing with them.

    Args:
        base: the weakest.
        others: stronger ones; the value DELETE removes a key.
        lists: "replace", "append", or "unique" (append what is not yet there).
    """
    if lists not in ("replace", "append", "unique"):
        raise ValueError(f"unknown way to merge lists: {lists!r}")
    result = copy.deepcopy(base)
    for other in others:
        _into(result, other, lists)
    return result


def _into(target: dict[str, Any], source: dict[str, Any], lists: str) -> None:
    for key, value in source.items():
        if value is DELETE:
            target.pop(key, None)
        elif isinstance(value, dict):
            mine = target.get(key)
            if not isinstance(mine, dict):
                mine = target[key] = {}
            _into(mine, value, lists)
        elif isinstance(value, list) and isinstance(target.get(key), list):
            target[key] = _merged_list(target[key], value, lists)
        else:
            target[key] = copy.deepcopy(value)


def _merged_list(mine: list[Any], value: list[Any], lists: str) -> list[Any]:
    if lists == "replace":
        return copy.deepcopy(value)
    result = list(mine)
    for item in copy.deepcopy(value):
        if lists == "append" or item not in result:
            result.append(item)
    return result
