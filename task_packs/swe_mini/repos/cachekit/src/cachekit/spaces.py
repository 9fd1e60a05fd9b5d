"""Several named groups of keys in one cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cachekit.lru import LRUCache


class Spaces:
    """Keys are "space:name"; all spaces share the capacity."""

    def __init__(self, capacity: int) -> None:
        self._cache = LRUCache(capacity)
        self._loaders: dict[str, Callable[[str], Any]] = {}

    def loader(self, space: str, load: Callable[[str], Any]) -> None:
        """Say how missing values of a space are made from their names."""
        self._loaders[space] = load

    def put(self, space: str, name: str, value: Any) -> None:
        """Store a value."""
        self._cache[_key(space, name)] = value

    def get(self, space: str, name: str, default: Any = None) -> Any:
        """The value, from the space's loader if it is not stored, else `default`."""
        key = _key(space, name)
        if key in self._cache:
            return self._cache.get(key)
        load = self._loaders.get(space)
        if load is None:
            return self._cache.get(key, default)
        value = load(name)
        self._cache[key] = value
        return value

    def names(self, space: str) -> list[str]:
        """Names stored in a space, sorted."""
        start = space + ":"
        return sorted(str(key)[len(start) :] for key in self._cache if str(key).startswith(start))

    def clear(self, space: str) -> int:
        """Remove a space's values and say how many there were."""
        names = self.names(space)
        for name in names:
            del self._cache[_key(space, name)]
        return len(names)

    def sizes(self) -> dict[str, int]:
        """Number of values in each space that has any."""
        found: dict[str, int] = {}
        for key in self._cache:
            space = str(key).partition(":")[0]
            found[space] = found.get(space, 0) + 1
        return found


def _key(space: str, name: str) -> str:
    if not space or ":" in space:
        raise ValueError(f"not the name of a space: {space!r}")
    return f"{space}:{name}"
