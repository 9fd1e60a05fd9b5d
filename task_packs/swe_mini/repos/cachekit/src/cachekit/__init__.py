"""Caches for one process."""

from cachekit.lru import LRUCache
from cachekit.memo import memoize
from cachekit.snapshot import dump, load
from cachekit.spaces import Spaces
from cachekit.stats import Stats
from cachekit.ttl import TTLCache

__all__ = ["LRUCache", "Spaces", "Stats", "TTLCache", "dump", "load", "memoize"]
