"""Bugs of confmerge."""
# ruff: noqa: E501  (a line of a repository stays one line)

from task_packs.swe_mini.spec import Bug, Edit

BUGS = (
    Bug(
        "shared-lists",
        "Merged settings share lists with the layers they came from",
        """`merge` says the result shares nothing with its arguments. Appending to `result["hosts"]` also changes the list in the
layer that it was taken from, and all later merges with that layer are wrong. Plain values and the first argument are
not affected.""",
        (
            Edit(
                "confmerge/merge.py",
                "            target[key] = copy.deepcopy(value)\n",
                "            target[key] = value\n",
            ),
            Edit(
                "confmerge/merge.py",
                '    if lists == "replace":\n        return copy.deepcopy(value)\n',
                '    if lists == "replace":\n        return value\n',
            ),
        ),
    ),
    Bug(
        "index-too-negative",
        "IndexError for a negative index that is out of range",
        """`get(data, "db.hosts.-3", 7)` on a list of two raises IndexError. With an index that is too large I get the default, and
that is what I expect here too (or ConfigError without a default).""",
        (
            Edit(
                "confmerge/paths.py",
                "        elif isinstance(now, list) and _is_index(part) and -len(now) <= int(part) < len(now):\n",
                "        elif isinstance(now, list) and _is_index(part) and int(part) < len(now):\n",
            ),
        ),
    ),
    Bug(
        "remove-takes-neighbours",
        "Removing one setting deletes its whole group",
        """`remove(data, "a.b.c")` on `{"a": {"b": {"c": 1}, "x": 2}}` leaves `{}`. Only groups that became empty should go; "a" still
has "x".""",
        (
            Edit(
                "confmerge/paths.py",
                """        if group[part]:
            break
        del group[part]
""",
                """        del group[part]
""",
            ),
        ),
    ),
    Bug(
        "equals-in-value",
        "parse_ini rejects values that contain an equals sign",
        """A line like `url = http://x/?a=1&b=2` is refused with "not a setting". Only the first equals sign separates.""",
        (
            Edit(
                "confmerge/ini.py",
                """        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"line {number}: not a setting: {line}")
        path""",
                """        parts = line.split("=")
        if len(parts) != 2 or not parts[0].strip():
            raise ConfigError(f"line {number}: not a setting: {line}")
        key, value = parts
        path""",
            ),
        ),
    ),
    Bug(
        "deep-variables",
        "Environment variables reach only two levels",
        """`A_X__Y__Z=1` with the prefix `A_` should set x.y.z. It sets a key called "y__z" in x.""",
        (
            Edit(
                "confmerge/env.py",
                "        parts = [part.lower() for part in name[len(prefix) :].split(separator)]\n",
                "        parts = [part.lower() for part in name[len(prefix) :].split(separator, 1)]\n",
            ),
        ),
    ),
    Bug(
        "endless-reference",
        "RecursionError instead of ConfigError for settings that refer to each other",
        """`resolve({"a": "${b}", "b": "x${a}"})` ends in "RecursionError: maximum recursion depth exceeded". There is a message for
that ("refers to itself") but I never get to see it.""",
        (
            Edit(
                "confmerge/references.py",
                "    return _resolved(value, data, wanted, (*chain, wanted))\n",
                "    return _resolved(value, data, wanted, chain)\n",
            ),
        ),
    ),
    Bug(
        "zero-is-not-checked",
        "check() lets port 0 through",
        """The field has `least=1`. A port of 0 is not refused: the result has the default 5432 instead. A port of -1 is refused. We
also saw `debug: false` overruled by a default of True.""",
        (
            Edit(
                "confmerge/schema.py",
                "        if value is None:\n            if field.required:\n",
                "        if not value:\n            if field.required:\n",
            ),
        ),
    ),
    Bug(
        "stale-settings",
        "Config.set has no effect once a value was read",
        """    config = Config({"host": "x", "url": "http://${host}"})
    config.get("url")
    config.set("host", "y")
    config.get("url")

still gives http://x. If nothing was read before `set`, the new value is used.""",
        (
            Edit(
                "confmerge/config.py",
                """        paths.put(self._data, path, value)
        self._resolved = None
""",
                """        paths.put(self._data, path, value)
""",
            ),
        ),
    ),
)
