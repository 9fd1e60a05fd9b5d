"""Bugs of cachekit."""
# ruff: noqa: E501  (a line of a repository stays one line)

from task_packs.swe_mini.spec import Bug, Edit

BUGS = (
    Bug(
        "update-is-a-use",
        "Entries that were just updated are pushed out first",
        """Writing to an existing key does not make it recent. With capacity 3 and keys a, b, c: after `cache["a"] = 10` and
`cache["d"] = 3` the entry "a" is gone, although it was written a moment ago and "b" was not touched at all.""",
        (
            Edit(
                "src/cachekit/lru.py",
                """        self._entries[key] = value
        self._entries.move_to_end(key)
        self._shrink()
""",
                """        self._entries[key] = value
        self._shrink()
""",
            ),
        ),
    ),
    Bug(
        "none-is-a-value",
        "None cannot be cached",
        """Many of our lookups legitimately return None. They are never served from the cache: `get_or_make` calls the
function every time, `cache["x"]` raises KeyError after `cache["x"] = None`, and the statistics count misses.""",
        (
            Edit(
                "src/cachekit/lru.py",
                """        if key not in self._entries:
            self.stats.misses += 1
            return default
        self.stats.hits += 1
        self._entries.move_to_end(key)
        return self._entries[key]
""",
                """        value = self._entries.get(key)
        if value is None:
            self.stats.misses += 1
            return default
        self.stats.hits += 1
        self._entries.move_to_end(key)
        return value
""",
            ),
        ),
    ),
    Bug(
        "resize-keeps-all",
        "resize() to a smaller capacity does not free anything",
        """After `cache.resize(1)` a cache that held three entries still holds three, and `stats.evictions` stays 0. They go only
when the next value is stored. We shrink caches when memory is short, so waiting does not help.""",
        (
            Edit(
                "src/cachekit/lru.py",
                """        self.capacity = capacity
        self._shrink()
""",
                """        self.capacity = capacity
""",
            ),
        ),
    ),
    Bug(
        "rate-of-unused-cache",
        "ZeroDivisionError in Stats.line() of a cache that was never read",
        """Our log line at shutdown crashes for caches that nobody has used. The rate of no lookups should be 0.""",
        (
            Edit(
                "src/cachekit/stats.py",
                """        if not self.lookups:
            return 0.0
        return self.hits / self.lookups
""",
                """        return self.hits / self.lookups
""",
            ),
        ),
    ),
    Bug(
        "refreshed-entry-expires",
        "TTLCache: setting a key again does not renew its time",
        """Values that are written every few seconds disappear after `ttl` seconds counted from the first write. The docstring of
`set` says the time starts now, also if the key was there before. A shorter time given with the second `set` is ignored
too.""",
        (
            Edit(
                "src/cachekit/ttl.py",
                """        self._values[key] = value
        self._ends[key] = self._clock() + (self.ttl if ttl is None else ttl)
""",
                """        self._values[key] = value
        self._ends.setdefault(key, self._clock() + (self.ttl if ttl is None else ttl))
""",
            ),
        ),
    ),
    Bug(
        "similar-spaces",
        "Clearing the space 'user' breaks when there is a space 'users'",
        """`Spaces.names("user")` lists keys of the space "users" as well, with a stray colon, and `clear("user")` raises KeyError
because of it. The two spaces have nothing to do with each other.""",
        (
            Edit(
                "src/cachekit/spaces.py",
                """        start = space + ":"
        return sorted(str(key)[len(start) :] for key in self._cache if str(key).startswith(start))
""",
                """        return sorted(str(key)[len(space) + 1 :] for key in self._cache if str(key).startswith(space))
""",
            ),
        ),
    ),
    Bug(
        "forget-with-keywords",
        "memoize: forget() does nothing for calls with keyword arguments",
        """`area(2, unit="cm")` is still answered from the cache after `area.forget(2, unit="cm")`. Without keyword arguments
forgetting works.""",
        (
            Edit(
                "src/cachekit/memo.py",
                """        def forget(*args: Any, **kwargs: Any) -> None:
            counted = {name: value for name, value in kwargs.items() if name not in ignore}
            cache.pop(make_key(args, counted, typed))
""",
                """        def forget(*args: Any, **kwargs: Any) -> None:
            cache.pop(make_key(args, {}, typed))
""",
            ),
        ),
    ),
    Bug(
        "dump-nothing",
        "dump(cache, only=0) dumps everything",
        """We make `only` configurable and some people set it to 0 to keep no entries over a restart. They get all of them.""",
        (
            Edit(
                "src/cachekit/snapshot.py",
                "        entries = entries[max(len(entries) - only, 0) :]\n",
                "        entries = entries[-only:]\n",
            ),
        ),
    ),
)
