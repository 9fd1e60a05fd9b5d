"""Configuration files with believable content, in JSON, YAML, INI and .env form, for the edit families.

A document is a nested dict: some plain keys at the top and a few sections below. Dotted keys name its leaves.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from hybrid_agent.packs.draw import Draw
from hybrid_agent.types import Check, ContainsCheck, ValueCheck

Value = str | int | bool

NUMBER_KEYS = ("port", "timeout", "retries", "workers", "limit", "size", "width", "height", "interval", "ttl", "delay")
STRING_KEYS = ("host", "name", "theme", "language", "mode", "level", "region", "driver", "format", "title", "color")
BOOL_KEYS = ("debug", "verbose", "enabled", "strict", "cached", "public", "secure")
SECTIONS = ("server", "database", "logging", "client", "cache", "ui", "auth", "mail", "storage", "api", "queue", "jobs")


def some_value(draw: Draw, kind: str) -> Value:
    """A fresh value: kind is "number", "string" or "bool"."""
    if kind == "number":
        return draw.number(1, 99) if draw.chance(0.4) else draw.number(100, 9999)
    if kind == "bool":
        return draw.chance(0.5)
    return draw.word() if draw.chance(0.6) else f"{draw.word()}-{draw.word()}"


def some_key(draw: Draw, taken: set[str]) -> tuple[str, str]:
    """(key, kind of its value), not in `taken`; about half are common option names, the rest are drawn names."""
    while True:
        kind = draw.choice(("number", "number", "string", "string", "bool"))
        pool = {"number": NUMBER_KEYS, "string": STRING_KEYS, "bool": BOOL_KEYS}[kind]
        key = draw.choice(pool) if draw.chance(0.5) else draw.ident()
        if key not in taken:
            taken.add(key)
            return key, kind


def settings(draw: Draw, top: int = 2) -> dict[str, Any]:
    """A document with `top` plain keys followed by two or three sections of two to four keys."""
    taken: set[str] = set(SECTIONS)
    doc: dict[str, Any] = {}
    for _ in range(top):
        key, kind = some_key(draw, taken)
        doc[key] = some_value(draw, kind)
    for section in draw.sample(SECTIONS, draw.number(2, 3)):
        inner: set[str] = set()
        doc[section] = {}
        for _ in range(draw.number(2, 4)):
            key, kind = some_key(draw, inner)
            doc[section][key] = some_value(draw, kind)
    return doc


def leaves(doc: dict[str, Any], prefix: str = "") -> dict[str, Value]:
    """All leaves by dotted key, in document order."""
    found: dict[str, Value] = {}
    for key, value in doc.items():
        if isinstance(value, dict):
            found.update(leaves(value, f"{prefix}{key}."))
        else:
            found[prefix + key] = value
    return found


def changed_value(draw: Draw, old: Value) -> Value:
    """Another value of the same type."""
    if isinstance(old, bool):
        return not old
    kind = "number" if isinstance(old, int) else "string"
    while (new := some_value(draw, kind)) == old:
        pass
    return new


def shown(value: Value) -> str:
    """The value as it is written in a goal or a file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def with_value(doc: dict[str, Any], key: str, value: Value) -> dict[str, Any]:
    """A copy with the dotted key set."""
    new = copy.deepcopy(doc)
    *parents, last = key.split(".")
    node = new
    for parent in parents:
        node = node[parent]
    node[last] = value
    return new


def without(doc: dict[str, Any], key: str) -> dict[str, Any]:
    """A copy without the dotted key."""
    new = copy.deepcopy(doc)
    *parents, last = key.split(".")
    node = new
    for parent in parents:
        node = node[parent]
    del node[last]
    return new


def new_key(draw: Draw, doc: dict[str, Any]) -> tuple[str, Value]:
    """A dotted key the document does not have, in one of its sections (or at the top, if it has plain keys)."""
    sections = [key for key, value in doc.items() if isinstance(value, dict)]
    flat = any(not isinstance(value, dict) for value in doc.values())
    where = draw.choice([*sections, ""]) if flat else draw.choice(sections)
    key, kind = some_key(draw, set(doc[where]) if where else set(doc) | set(SECTIONS))
    return (f"{where}.{key}" if where else key), some_value(draw, kind)


def to_json(doc: dict[str, Any]) -> str:
    """JSON text, indented by two."""
    return json.dumps(doc, indent=2) + "\n"


def compact_json(doc: dict[str, Any]) -> str:
    """What `jq -Sc .` prints for the document."""
    return json.dumps(doc, sort_keys=True, separators=(",", ":"))


def to_yaml(doc: dict[str, Any], comment: str) -> str:
    """Block-style YAML that starts with a comment line."""
    lines = [f"# {comment}"]
    for key, value in doc.items():
        if isinstance(value, dict):
            lines.append(f"{key}:")
            lines += [f"  {inner}: {shown(leaf)}" for inner, leaf in value.items()]
        else:
            lines.append(f"{key}: {shown(value)}")
    return "\n".join(lines) + "\n"


def to_ini(doc: dict[str, Any], comment: str) -> str:
    """INI text that starts with a comment line; every key must be in a section."""
    lines = [f"# {comment}"]
    for section, values in doc.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {shown(value)}" for key, value in values.items()]
        lines.append("")
    return "\n".join(lines)


def to_env(doc: dict[str, Any], comment: str) -> str:
    """NAME=value lines that start with a comment line."""
    return f"# {comment}\n" + "".join(f"{key}={shown(value)}\n" for key, value in doc.items())


def others_kept(path: str, doc: dict[str, Any], comment: str, but: str) -> list[Check]:
    """Checks that an edit of `but` left every other leaf and the opening comment alone."""
    rest = [ValueCheck(path=path, key=key, value=shown(v)) for key, v in leaves(doc).items() if key != but]
    return [*rest, ContainsCheck(path=path, text=f"# {comment}\n")]
