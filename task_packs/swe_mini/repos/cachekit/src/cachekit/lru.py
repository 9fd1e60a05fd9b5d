"""Cache that forgets what was not used for longest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from cachekit.stats import Stats

_NOTHING = object()


class LRUCache:
    """Holds at most `capacity` entries. `on_evict(key, value)` is called for every entry that is pushed out."""

    def __init__(self, capacity: int, on_evict: Callable[[Hashable, Any], None] | None = None) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self.capacity = capacity
        self.stats = Stats()
        self._on_evict = on_evict
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[Hashable]:
        """Keys, the least recently used first."""
        return iter(list(self._entries))

    def __getitem__(self, key: Hashable) -> Any:
        value = self.get(key, _NOTHING)
        if value is _NOTHING:
            raise KeyError(key)
        return value

    def __setitem__(self, key: Hashable, value: Any) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        self._shrink()

    def __delitem__(self, key: Hashable) -> None:
        del self._entries[key]

    def get(self, key: Hashable, default: Any = None) -> Any:
        """The value of a key, which counts as a use; `default` if it is not there."""
        if key not in self._entries:
            self.stats.misses += 1
            return default
        self.stats.hits += 1
        self._entries.move_to_end(key)
        return self._entries[key]

    def peek(self, key: Hashable, default: Any = None) -> Any:
        """As `get`, but neither counted nor a use."""
        return self._entries.get(key, default)

    def get_or_make(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of a key, made and stored if it is not there."""
        value = self.get(key, _NOTHING)
        if value is _NOTHING:
            value = make()
            self[key] = value
        return value

    def pop(self, key: Hashable, default: Any = None) -> Any:
        """Remove a key and return its value."""
        return self._entries.pop(key, default)

    def resize(self, capacity: int) -> None:
        """Change the capacity; what no longer fits is pushed out."""
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self.capacity = capacity
        self._shrink()

    def clear(self) -> None:
        """Remove everything; nothing of it counts as evicted."""
        self._entries.clear()

    def _shrink(self) -> None:
        while len(self._entries) > self.capacity:
            key, value = self._entries.popitem(last=False)
            self.stats.evictions += 1
            if self._on_evict is not None:
                self._on_evict(key, value)
