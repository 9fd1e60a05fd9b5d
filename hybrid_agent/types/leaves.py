"""The plain values of nested args, wherever they stand in lists and mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value in args, with the name of the field it stands in."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from leaves(each, str(name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each, key)
    elif value is not None:
        yield key, value


def mapped(value: Any, swap: Callable[[str, Any], Any], key: str = "") -> Any:
    """Args with every plain value replaced by `swap(name of its field, value)`."""
    if isinstance(value, Mapping):
        return {name: mapped(each, swap, str(name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [mapped(each, swap, key) for each in value]
    return swap(key, value)
