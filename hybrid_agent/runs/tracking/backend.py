"""What a tracker can be told. Implementations: files, wandb, tensorboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

Cell = str | int | float | bool | None
Warn = Callable[[str], None]


class Backend(Protocol):
    """Steps need not grow: a resumed run repeats some."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Figures at a step; names with a slash belong together (`ece/shell`)."""
        ...

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Rows for people to read; a later table of the same name takes the place of an earlier one."""
        ...

    def image(self, name: str, path: Path) -> None:
        """A PNG file."""
        ...

    def summary(self, values: Mapping[str, object]) -> None:
        """Figures of the whole run."""
        ...

    def close(self) -> None:
        """Nothing more will come."""
        ...


def plain(values: Mapping[str, object], prefix: str = "") -> dict[str, Cell]:
    """Nested figures as one level, keys joined by slashes; lists become their elements by number."""
    out: dict[str, Cell] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            out |= plain(value, f"{name}/")
        elif isinstance(value, list | tuple):
            out |= plain({str(number): item for number, item in enumerate(value)}, f"{name}/")
        elif value is None or isinstance(value, str | int | float | bool):
            out[name] = value
        else:
            out[name] = str(value)
    return out
