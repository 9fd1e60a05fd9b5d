"""Set and remove values in structured files by dotted key, keeping comments and layout.

The format comes from the file's name, or from its text when the name says nothing. YAML goes through
ruamel's round-trip mode, TOML through tomlkit, JSON is written back with its own indent, INI and .env files are edited
line by line.
"""

from __future__ import annotations

import io
import json
import math
import posixpath
import re
from collections.abc import MutableMapping, MutableSequence
from typing import Any

from hybrid_agent.tools import edit_ini
from hybrid_agent.tools.failure import ToolFailure

_SUFFIXES = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
    ".properties": "ini",
    ".env": "env",
    ".service": "ini",
}
Scalar = str | int | float | bool | None


def format_of(path: str, text: str) -> str:
    """json, yaml, toml, ini or env.

    Raises:
        ToolFailure: neither name nor text tells.
    """
    base = posixpath.basename(path).lower()
    if base == ".env" or base.startswith(".env."):
        return "env"
    found = _SUFFIXES.get(posixpath.splitext(base)[1])
    if found:
        return found
    if text.lstrip().startswith(("{", "[")) and _is_json(text):
        return "json"
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith(("#", ";"))]
    if any(re.fullmatch(r"\[[^\[\]]+\]", line) for line in lines):
        return "ini"
    if lines and all(re.match(r"(export\s+)?[A-Za-z_]\w*=", line) for line in lines):
        return "env"
    if lines and any(re.match(r"[\w.-]+:(\s|$)", line) for line in lines):
        return "yaml"
    raise ToolFailure("cannot tell the format (known: .json .yaml .toml .ini .cfg .conf .env)")


def set_value(path: str, text: str, key: str, value: str) -> str:
    """The text with `value` at dotted `key`; missing parents are made."""
    kind = format_of(path, text)
    if kind in ("ini", "env"):
        return edit_ini.set_value(text, key, value, env=kind == "env")
    tree = _load(kind, text)
    holder, last = _holder(tree, key, make=True)
    present = _get(holder, last)
    new = value if isinstance(present, str) else coerce(value)
    if new is None and kind == "toml":
        new = value  # TOML has no null
    if isinstance(holder, MutableSequence):
        place = _index(last, key)
        if place == len(holder):
            holder.append(new)
        elif place < len(holder):
            holder[place] = new
        else:
            raise ToolFailure(f"{key}: the list has only {len(holder)} entries")
    else:
        holder[_own_key(holder, last)] = new
    return _dump(kind, tree, text)


def unset_value(path: str, text: str, key: str) -> str:
    """The text without the value at dotted `key`, which must exist."""
    kind = format_of(path, text)
    if kind in ("ini", "env"):
        return edit_ini.unset_value(text, key, env=kind == "env")
    tree = _load(kind, text)
    holder, last = _holder(tree, key, make=False)
    if isinstance(holder, MutableSequence):
        place = _index(last, key)
        if place >= len(holder):
            raise ToolFailure(f"{key}: the list has only {len(holder)} entries")
        del holder[place]
    else:
        own = _own_key(holder, last)
        if own not in holder:
            raise ToolFailure(f"{key}: no such key")
        del holder[own]
    return _dump(kind, tree, text)


def coerce(value: str) -> Scalar:
    """Text as a YAML 1.2 scalar: true, false, null, numbers, else the text (quotes around it are dropped)."""
    if value in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return value.lower() == "true"
    if value in ("null", "Null", "NULL", "~"):
        return None
    if re.fullmatch(r"[-+]?(0|[1-9][0-9]{0,30})", value):
        return int(value)
    if re.fullmatch(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", value):
        number = float(value)
        if math.isfinite(number):
            return number
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


# --- walking ---------------------------------------------------------------------------------------


def _holder(tree: Any, key: str, *, make: bool) -> tuple[Any, str]:
    """The container that holds the last part of `key`. Names with dots in them win where they exist."""
    parts = key.split(".")
    if not all(parts):
        raise ToolFailure(f"{key}: is not a dotted key")
    node, done = tree, 0
    while True:
        if not isinstance(node, MutableMapping | MutableSequence):
            raise ToolFailure(f"{'.'.join(parts[:done]) or 'the file'}: is a single value, not a group")
        for length in range(len(parts) - done, 1, -1):
            joined = ".".join(parts[done : done + length])
            if isinstance(node, MutableMapping) and joined in node:
                parts[done : done + length] = [joined]
                break
        part = parts[done]
        if done == len(parts) - 1:
            return node, part
        child = _get(node, part)
        if child is None:
            if not make:
                raise ToolFailure(f"{key}: no such key")
            if isinstance(node, MutableSequence):
                raise ToolFailure(f"{key}: the list has no entry {part}")
            child = node[_own_key(node, part)] = _group(node)
            child = node[_own_key(node, part)]
        node, done = child, done + 1


def _group(node: Any) -> Any:
    if type(node).__module__.startswith("tomlkit"):
        import tomlkit

        return tomlkit.table()
    return {}


def _get(node: Any, part: str) -> Any:
    if isinstance(node, MutableSequence):
        return node[int(part)] if part.isdecimal() and int(part) < len(node) else None
    return node.get(_own_key(node, part))


def _own_key(node: Any, part: str) -> Any:
    """YAML keys may be numbers or booleans."""
    if part not in node and type(node).__module__.startswith("ruamel"):
        other = coerce(part)
        if other in node:
            return other
    return part


def _index(part: str, key: str) -> int:
    if not part.isdecimal():
        raise ToolFailure(f"{key}: {part} must be a number, this is a list")
    return int(part)


# --- reading and writing ---------------------------------------------------------------------------


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _yaml(text: str) -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 10**6
    yaml.allow_unicode = True
    dashes = re.search(r"^(?P<key> *)[^\s#-][^\n]*:[ \t]*\n(?P<dash> *)- ", text, re.MULTILINE)
    nested = re.search(r"^[^\s#-][^\n]*:[ \t]*\n(?P<indent> +)[^\s#-]", text, re.MULTILINE)
    offset = len(dashes["dash"]) - len(dashes["key"]) if dashes else 0
    yaml.indent(mapping=len(nested["indent"]) if nested else 2, sequence=offset + 2, offset=offset)
    yaml.explicit_start = text.startswith("---") or None
    return yaml


def _load(kind: str, text: str) -> Any:
    try:
        if kind == "json":
            return json.loads(text) if text.strip() else {}
        if kind == "toml":
            import tomlkit

            return tomlkit.parse(text)
        tree = _yaml(text).load(text)
        return {} if tree is None else tree
    except RecursionError:
        raise ToolFailure("is nested too deeply") from None
    except Exception as error:  # each library has its own; all mean that the file is broken
        first = re.sub(r"\s+", " ", str(error)).strip()[:160]
        raise ToolFailure(f"is not valid {kind.upper()}: {first}") from None


def _dump(kind: str, tree: Any, text: str) -> str:
    if kind == "toml":
        import tomlkit

        return tomlkit.dumps(tree)
    if kind == "json":
        return _dump_json(tree, text)
    out = io.StringIO()
    _yaml(text).dump(tree, out)
    dumped = out.getvalue()
    return dumped.replace("\n", "\r\n") if "\r\n" in text else dumped


def _dump_json(tree: Any, text: str) -> str:
    indent = re.search(r"\n([ \t]+)\S", text)
    if "\n" in text.strip():
        dumped = json.dumps(tree, ensure_ascii=False, indent=indent[1] if indent else 0)
    elif not text.strip():
        dumped = json.dumps(tree, ensure_ascii=False, indent=2) + "\n"
    else:
        loose = re.search(r'":\s', text) is not None or ":" not in text
        dumped = json.dumps(tree, ensure_ascii=False, separators=None if loose else (",", ":"))
    if "\r\n" in text:
        dumped = dumped.replace("\n", "\r\n")
    return dumped + text[len(text.rstrip()) :] if text.strip() else dumped
