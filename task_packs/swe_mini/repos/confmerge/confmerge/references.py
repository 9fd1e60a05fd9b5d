"""References between settings: "${db.host}"."""

from __future__ import annotations

import re
from typing import Any

from confmerge import paths
from confmerge.errors import ConfigError

_REFERENCE = re.compile(r"\$\{([^${}:]+)(?::([^${}]*))?\}")


def resolve(data: dict[str, Any]) -> dict[str, Any]:
    """The settings with all references filled in.

    A text that is nothing but a reference becomes the value itself, of whatever type. "${path:text}" is the text if
    there is no such setting. "$${" stands for "${".

    Raises:
        ConfigError: a setting is missing, or refers to itself.
    """
    return _resolved(data, data, "", ())


def _resolved(value: Any, data: dict[str, Any], path: str, chain: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(each, data, _below(path, key), chain) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, data, _below(path, str(index)), chain) for index, each in enumerate(value)]
    if isinstance(value, str):
        return _filled(value, data, path, chain)
    return value


def _filled(text: str, data: dict[str, Any], path: str, chain: tuple[str, ...]) -> Any:
    whole = _REFERENCE.fullmatch(text)
    if whole is not None:
        return _target(whole, data, path, chain)
    pieces = []
    at = 0
    for match in _REFERENCE.finditer(text):
        if match.start() > 0 and text[match.start() - 1] == "$":
            continue
        pieces.append(text[at : match.start()])
        value = _target(match, data, path, chain)
        pieces.append("" if value is None else str(value))
        at = match.end()
    pieces.append(text[at:])
    return "".join(pieces).replace("$${", "${")


def _target(match: re.Match[str], data: dict[str, Any], path: str, chain: tuple[str, ...]) -> Any:
    wanted, fallback = match.group(1).strip(), match.group(2)
    if wanted in chain:
        raise ConfigError(f"refers to itself: {' -> '.join([*chain, wanted])}", path)
    missing = object()
    value = paths.get(data, wanted, missing)
    if value is missing:
        if fallback is None:
            raise ConfigError(f"no setting {wanted!r}", path)
        return fallback
    return _resolved(value, data, wanted, (*chain, wanted))


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
