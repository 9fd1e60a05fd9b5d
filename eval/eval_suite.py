"""Every suite on every test split, and the matrix: AGENT_DATA=task_packs python -m eval.eval_suite"""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from eval.metrics import grouped, summarize
from eval.run import Outcome, evaluate
from hybrid_agent.cli.exits import STOPPED, program
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.load import config_root, load_config
from hybrid_agent.errors import InputError


def command(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="As for eval.run, without suite= and split=.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Run every suite and print the matrix of success by suite and split."""
    given = overrides or []
    for override in given:
        if override.split("=")[0] in ("suite", "split"):
            raise InputError("all suites and splits are run", where=override, fix="leave it out, or use eval.run")
    console = Console(stderr=as_json, highlight=False)
    suites = sorted(path.stem for path in (config_root() / "suite").glob("*.yaml"))
    # All configs are read before anything runs: a mistake in the last should not cost the first.
    configs = [load_config("eval", [f"suite={suite}", *given], EvalConfig) for suite in suites]
    outcomes: list[Outcome] = []
    for config in configs:
        outcomes.append(evaluate(config, console))
        if not outcomes[-1].complete:
            break
    print_matrix(console, outcomes)
    body = {outcome.config.suite.name: outcome.as_json() for outcome in outcomes}
    everything = summarize([result for outcome in outcomes for result in outcome.results])
    if as_json:
        print(json.dumps({"success": everything.success.value, "suites": body}))
    if not all(outcome.complete for outcome in outcomes):
        raise typer.Exit(STOPPED)


def print_matrix(console: Console, outcomes: list[Outcome]) -> None:
    """Suites down, splits across, success with its interval in the cells."""
    splits = sorted({result.split for outcome in outcomes for result in outcome.results})
    table = Table("suite", *splits, "all", "report", box=None, pad_edge=False)
    for outcome in outcomes:
        groups = grouped(outcome.results, lambda r: r.split)
        cells = [str(summarize(groups[split]).success) if split in groups else "-" for split in splits]
        report = str(outcome.attempt.path / "report.html")
        table.add_row(outcome.config.suite.name, *cells, str(summarize(outcome.results).success), report)
    console.print(table)


if __name__ == "__main__":
    program(command)
