"""Checking settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confmerge import paths
from confmerge.errors import ConfigError


@dataclass(frozen=True)
class Field:
    """What a setting may be. `least` and `most` are both allowed values."""

    kind: type = str
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    least: float | None = None
    most: float | None = None


def check(data: dict[str, Any], fields: Mapping[str, Field], strict: bool = True) -> dict[str, Any]:
    """A flat copy, path -> value, with defaults filled in and whole numbers made floats where floats are wanted.

    Args:
        data: nested settings.
        fields: path -> what may stand there.
        strict: refuse settings that have no field.

    Raises:
        ConfigError: the first thing that is wrong.
    """
    result: dict[str, Any] = {}
    for path, field in fields.items():
        value = paths.get(data, path, None)
        if value is None:
            if field.required:
                raise ConfigError("is required", path)
            result[path] = field.default
        else:
            result[path] = _checked(value, field, path)
    if strict:
        for path, _ in paths.flatten(data):
            if not any(path == known or path.startswith(known + ".") for known in fields):
                raise ConfigError("unknown setting", path)
    return result


def _checked(value: Any, field: Field, path: str) -> Any:
    if field.kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, field.kind) or (isinstance(value, bool) and field.kind is not bool):
        raise ConfigError(f"must be {field.kind.__name__}, not {type(value).__name__}", path)
    if field.choices and value not in field.choices:
        raise ConfigError(f"must be one of {', '.join(map(str, field.choices))}", path)
    if field.least is not None and value < field.least:
        raise ConfigError(f"must be at least {field.least:g}", path)
    if field.most is not None and value > field.most:
        raise ConfigError(f"must be at most {field.most:g}", path)
    return value
