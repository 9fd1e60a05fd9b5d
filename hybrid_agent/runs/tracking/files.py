"""What is always kept in a run's directory: metrics.jsonl (one entry a line) and tables/NAME.json."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_json
from hybrid_agent.runs.tracking.backend import Cell

METRICS, TABLES = "metrics.jsonl", "tables"
_UNFIT = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class StoredTable:
    """A table as it was read back."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Files:
    """Implements `Backend` with plain files. Errors here are real: the directory of the run cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """One line of metrics.jsonl."""
        with (self.folder / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """tables/NAME.json."""
        body = {"columns": list(columns), "rows": [list(row) for row in rows]}
        write_json(self.folder / TABLES / f"{_UNFIT.sub('-', name)}.json", body)

    def image(self, name: str, path: Path) -> None:
        """Nothing: the file is there already."""

    def summary(self, values: Mapping[str, object]) -> None:
        """Nothing: the manifest holds it."""

    def close(self) -> None:
        """Nothing is open."""


def written(folder: Path) -> list[str]:
    """What a manifest should list of it, relative to the folder."""
    found = [folder / METRICS, *sorted((folder / TABLES).glob("*.json"))]
    return [str(path.relative_to(folder)) for path in found if path.is_file()]


def read_entries(folder: Path) -> list[dict[str, float]]:
    """The entries of a run's metrics.jsonl, in order; a line that is still being written is left out.

    Raises:
        InputError: another line is no entry.
    """
    path = folder / METRICS
    if not path.is_file():
        return []
    out: list[dict[str, float]] = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict) or "step" not in entry:
                raise ValueError
        except ValueError:
            if number == len(lines):
                break
            raise InputError("not an entry of a log", where=f"{path}:{number}", fix="remove the line") from None
        out.append(entry)
    return out


def read_tables(folder: Path) -> list[StoredTable]:
    """The tables of a run, by name.

    Raises:
        InputError: a file is no table.
    """
    out = []
    for path in sorted((folder / TABLES).glob("*.json")):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            rows = tuple(tuple(row) for row in body["rows"])
            out.append(StoredTable(path.stem, tuple(map(str, body["columns"])), rows))
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError("not a table", where=str(path), fix="remove it") from None
    return out
