"""Real goals, as a user would type them, done by the shipped agent in the sandbox (`make demo`)."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.episode import EpisodeSettings
from eval.goals import GOALS, read_goals
from eval.pool import default_workers, run_tasks
from eval.result import TaskResult
from hybrid_agent.cli.exits import program

ENOUGH = 12  # the model is small: a few misses are shown, not hidden


def command(
    decoder: Annotated[str, typer.Option(help="tiny, hf:PATH or openai:URL.")] = "tiny",
    goals: Annotated[Path, typer.Option(help="YAML list of goals.")] = GOALS,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 means one per core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Do every goal in a fresh folder in the sandbox; exit 1 if the judge accepts fewer than `ENOUGH`."""
    tasks = [goal.task() for goal in read_goals(goals)]
    console = Console(stderr=as_json, highlight=False)
    start = time.perf_counter()
    done: dict[str, TaskResult] = {}
    settings = EpisodeSettings(attempts=2)
    stream = run_tasks(tasks, decoder, settings, workers or default_workers())
    with console.status("loading the model") as status, closing(stream):
        for result in stream:
            done[result.task_id] = result
            status.update(f"{len(done)} of {len(tasks)} goals")
    seconds = time.perf_counter() - start
    results = [done[task.id] for task in tasks]
    _print(console, results)
    good = sum(result.success for result in results)
    console.print(f"{good} of {len(results)} goals done in the sandbox, {seconds:.1f} s in all, model loading included")
    if as_json:
        body = [result.model_dump(mode="json", exclude={"segment_ms", "tool_ms"}) for result in results]
        print(json.dumps({"success": good / len(results), "seconds": seconds, "goals": body}))
    raise typer.Exit(0 if good >= ENOUGH else 1)


def _print(console: Console, results: list[TaskResult]) -> None:
    table = Table("goal", "calls", "verified", "judge", "ms", box=None, pad_edge=False)
    for name in (1, 4):
        table.columns[name].justify = "right"
    for result in results:
        goal = Text(result.goal)
        for check in result.failed_checks[:1]:
            goal.append(f"\n  {check.check}: {check.detail}", style="dim")
        judge = (
            Text("pass", style="green") if result.success else Text("infra" if result.infra else "fail", style="red")
        )
        verified = "yes" if result.verified else "no"
        table.add_row(goal, str(result.turns), verified, judge, f"{result.episode_ms:.0f}")
    console.print(table)


if __name__ == "__main__":
    program(command)
