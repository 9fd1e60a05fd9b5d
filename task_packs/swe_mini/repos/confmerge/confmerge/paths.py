"""Settings by path: "db.hosts.0"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from confmerge.errors import ConfigError

_MISSING = object()


def get(data: Any, path: str, default: Any = _MISSING) -> Any:
    """The value at a path; numbers index lists.

    Raises:
        ConfigError: there is none, and no default is given.
    """
    now = data
    for part in _parts(path):
        if isinstance(now, dict) and part in now:
            now = now[part]
        elif isinstance(now, list) and _is_index(part) and -len(now) <= int(part) < len(now):
            now = now[int(part)]
        elif default is not _MISSING:
            return default
        else:
            raise ConfigError("no such setting", path)
    return now


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path; missing groups on the way are made.

    Raises:
        ConfigError: something on the way is neither a group nor a list.
    """
    *parents, last = _parts(path)
    now: Any = data
    for part in parents:
        if isinstance(now, list):
            now = now[_index(now, part, path)]
        elif isinstance(now, dict):
            now = now.setdefault(part, {})
        else:
            raise ConfigError(f"{part!r} lies below a plain value", path)
    if isinstance(now, list):
        now[_index(now, last, path)] = value
    elif isinstance(now, dict):
        now[last] = value
    else:
        raise ConfigError(f"{last!r} lies below a plain value", path)


def remove(data: dict[str, Any], path: str) -> bool:
    """Remove the value at a path, and groups that are empty then; False if there is none."""
    *parents, last = _parts(path)
    groups = [data]
    for part in parents:
        inner = groups[-1].get(part)
        if not isinstance(inner, dict):
            return False
        groups.append(inner)
    if last not in groups[-1]:
        return False
    del groups[-1][last]
    for group, part in zip(reversed(groups[:-1]), reversed(parents), strict=True):
        if group[part]:
            break
        del group[part]
    return True


def flatten(data: Any, start: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and plain values; empty groups and lists are values too."""
    if isinstance(data, dict) and data:
        pairs = list(data.items())
    elif isinstance(data, list) and data:
        pairs = [(str(index), value) for index, value in enumerate(data)]
    else:
        yield start, data
        return
    for key, value in pairs:
        yield from flatten(value, f"{start}.{key}" if start else str(key))


def _parts(path: str) -> list[str]:
    parts = path.split(".")
    if not all(parts):
        raise ConfigError("not a path", path)
    return parts


def _is_index(part: str) -> bool:
    return part.lstrip("-").isdigit()


def _index(items: list[Any], part: str, path: str) -> int:
    if not _is_index(part) or not -len(items) <= int(part) < len(items):
        raise ConfigError(f"no item {part!r} in a list of {len(items)}", path)
    return int(part)
