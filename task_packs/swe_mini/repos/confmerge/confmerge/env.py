"""Settings from environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confmerge import paths
from confmerge.values import parse_value


def from_environment(prefix: str, environment: Mapping[str, str], separator: str = "__") -> dict[str, Any]:
    """Settings of all variables that begin with a prefix: APP_DB__PORT is db.port for the prefix APP_.

    Shorter paths are set first, so that APP_DB cannot hide APP_DB__PORT.
    """
    found: list[tuple[list[str], str]] = []
    for name, text in environment.items():
        if not name.startswith(prefix):
            continue
        parts = [part.lower() for part in name[len(prefix) :].split(separator)]
        if all(parts):
            found.append((parts, text))
    data: dict[str, Any] = {}
    for parts, text in sorted(found, key=lambda pair: (len(pair[0]), pair[0])):
        parent = paths.get(data, ".".join(parts[:-1]), None) if len(parts) > 1 else data
        if len(parts) > 1 and not isinstance(parent, dict):
            paths.remove(data, ".".join(parts[:-1]))
        paths.put(data, ".".join(parts), parse_value(text))
    return data
