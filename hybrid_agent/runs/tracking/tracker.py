"""The one thing that stages and evaluations tell what they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from hybrid_agent.runs.tracking.backend import Backend, Cell
from hybrid_agent.runs.tracking.files import Files


@dataclass(frozen=True)
class Mirror:
    """Passes entries on that somebody else writes to metrics.jsonl (the training engine does)."""

    backends: tuple[Backend, ...]
    prefix: str = ""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Figures at a step, under the prefix."""
        named = {self.prefix + key: value for key, value in values.items() if key != "step"}
        for backend in self.backends:
            backend.log(step, named)


class Tracker:
    """Writes to the run's directory and tells the others. A context manager: leaving it closes them.

    Args:
        folder: the run's directory; None for a process that is not to write (a rank other than the first).
        others: guarded backends: they neither wait nor raise.
        samples: rows that a table of samples should have.
    """

    def __init__(self, folder: Path | None = None, others: Sequence[Backend] = (), samples: int = 0) -> None:
        self.others, self.samples = tuple(others), samples
        self._all: tuple[Backend, ...] = (*((Files(folder),) if folder is not None else ()), *self.others)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Figures at a step; also one line of metrics.jsonl."""
        for backend in self._all:
            backend.log(step, values)

    def mirror(self, prefix: str = "") -> Mirror:
        """For a training engine, which writes its own metrics.jsonl."""
        return Mirror(self.others, prefix)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Rows for people to read; kept as tables/NAME.json."""
        for backend in self._all:
            backend.table(name, columns, rows)

    def image(self, path: Path) -> None:
        """A plot (PNG)."""
        for backend in self._all:
            backend.image(path.stem, path)

    def summary(self, values: Mapping[str, object]) -> None:
        """Figures of the whole run."""
        for backend in self._all:
            backend.summary(values)

    def close(self) -> None:
        """Give everybody time to finish."""
        for backend in self._all:
            backend.close()

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
