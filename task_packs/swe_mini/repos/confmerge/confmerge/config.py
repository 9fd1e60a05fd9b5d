"""Settings as one object."""

from __future__ import annotations

from typing import Any

from confmerge import paths
from confmerge.changes import Change, changes
from confmerge.merge import merge
from confmerge.references import resolve
from confmerge.values import parse_value


class Config:
    """Merged settings; references are filled in when they are read."""

    def __init__(self, data: dict[str, Any] | None = None) -> None:
        self._data = merge(data or {})
        self._resolved: dict[str, Any] | None = None

    @classmethod
    def layers(cls, *layers: dict[str, Any], lists: str = "replace") -> Config:
        """Settings of several layers, the strongest last."""
        return cls(merge({}, *layers, lists=lists))

    @property
    def data(self) -> dict[str, Any]:
        """All settings with references filled in. Do not change it."""
        if self._resolved is None:
            self._resolved = resolve(self._data)
        return self._resolved

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a path, or the default."""
        return paths.get(self.data, path, default)

    def require(self, path: str) -> Any:
        """The value at a path.

        Raises:
            ConfigError: there is none.
        """
        return paths.get(self.data, path)

    def set(self, path: str, value: Any) -> None:
        """Set one value."""
        paths.put(self._data, path, value)
        self._resolved = None

    def override(self, *pairs: str) -> None:
        """Set values given as "path=text", as on a command line."""
        for pair in pairs:
            path, equals, text = pair.partition("=")
            if not equals:
                raise ValueError(f"not an override: {pair!r}")
            self.set(path.strip(), parse_value(text))

    def update(self, *layers: dict[str, Any]) -> list[Change]:
        """Merge stronger layers in and say what changed."""
        before = self._data
        self._data = merge(before, *layers)
        self._resolved = None
        return changes(before, self._data)

    def section(self, path: str) -> Config:
        """A group as settings of its own, references filled in."""
        return Config(paths.get(self.data, path))
