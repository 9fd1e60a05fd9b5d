"""A cache as JSON text, and back."""

from __future__ import annotations

import json
from typing import Any

from cachekit.lru import LRUCache

VERSION = 1


def dump(cache: LRUCache, *, only: int | None = None) -> str:
    """The cache as text, the least recently used entry first.

    Args:
        cache: its keys must be strings, its values JSON.
        only: keep so many of the most recently used entries.
    """
    entries: list[list[Any]] = []
    for key in cache:
        if not isinstance(key, str):
            raise TypeError(f"only keys that are strings can be dumped, not {key!r}")
        entries.append([key, cache.peek(key)])
    if only is not None:
        entries = entries[max(len(entries) - only, 0) :]
    return json.dumps({"version": VERSION, "capacity": cache.capacity, "entries": entries})


def load(text: str, capacity: int | None = None) -> LRUCache:
    """A cache from text; `capacity` replaces the stored one.

    Raises:
        ValueError: not a dump of this version.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not a dump: {error}") from None
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise ValueError("not a dump of this version")
    cache = LRUCache(data["capacity"] if capacity is None else capacity)
    for key, value in data["entries"]:
        cache[key] = value
    cache.stats.reset()
    return cache
