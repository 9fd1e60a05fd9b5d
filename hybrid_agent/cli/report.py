"""`hybrid-agent report`: runs as one HTML file, to look at and to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="STAGE/NAME, STAGE/NAME/ATTEMPT, or a run's directory.")
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("report.html"),
    runs_dir: Annotated[Path, typer.Option(help="Where training and evaluation runs lie.")] = Path("runs"),
) -> None:
    """Write training or evaluation runs, finished or not, as one HTML file: plots, samples, settings, parents."""
    from hybrid_agent.runs.report import write_report
    from hybrid_agent.runs.report.load import named_run

    read = write_report([named_run(runs_dir, name) for name in runs], out)
    print(f"{out}: {', '.join(run.label for run in read)}")
