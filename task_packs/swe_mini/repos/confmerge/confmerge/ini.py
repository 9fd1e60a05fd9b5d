"""Settings from INI text."""

from __future__ import annotations

from typing import Any

from confmerge import paths
from confmerge.errors import ConfigError
from confmerge.values import parse_value


def parse_ini(text: str) -> dict[str, Any]:
    """Read sections and "key = value" lines. "[a.b]" is group b of group a; "#" or ";" at the start is a comment.

    Raises:
        ConfigError: a line is neither; the message has its number.
    """
    data: dict[str, Any] = {}
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            if not line.endswith("]") or not line[1:-1].strip():
                raise ConfigError(f"line {number}: not a section: {line}")
            section = line[1:-1].strip()
            if paths.get(data, section, None) is None:
                paths.put(data, section, {})
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"line {number}: not a setting: {line}")
        path = f"{section}.{key.strip()}" if section else key.strip()
        paths.put(data, path, parse_value(_without_comment(value)))
    return data


def _without_comment(value: str) -> str:
    """The value before " #"; inside quotes that is text."""
    quote = ""
    for index, char in enumerate(value):
        if quote:
            if char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif char == "#" and (index == 0 or value[index - 1].isspace()):
            return value[:index]
    return value
