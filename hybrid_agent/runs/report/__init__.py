"""A report on runs, for people: one HTML file with plots, tables and samples. `write_report(paths, out)`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hybrid_agent.runs.atomic import write_text
from hybrid_agent.runs.report.load import Run, load_runs
from hybrid_agent.runs.report.page import page


def write_report(folders: Sequence[Path], out: Path) -> list[Run]:
    """Write the report of these run directories, finished or not; returns what was read.

    Raises:
        InputError: a folder is no run, or its log cannot be read.
    """
    runs = load_runs(folders)
    write_text(out, page(runs))
    return runs


__all__ = ["Run", "load_runs", "page", "write_report"]
