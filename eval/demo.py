"""Real goals, as a user would type them, done by the shipped agent in the sandbox (`make demo`)."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from eval.episode import EpisodeSettings
from eval.pool import default_workers, run_tasks
from eval.result import TaskResult
from hybrid_agent.cli.main import guarded
from hybrid_agent.config.explain import explain
from hybrid_agent.errors import InputError
from hybrid_agent.types import Check, Record, SetupItem, Task

GOALS = Path(__file__).with_name("demo_goals.yaml")
MAX_STEPS = 24


class DemoGoal(Record):
    """One goal with its starting files and the judge's checks."""

    id: str
    family: str
    goal: str
    setup: tuple[SetupItem, ...] = ()
    checks: tuple[Check, ...]
    destructive: bool = False

    def task(self) -> Task:
        """As a task without a gold solution: there is none to look at."""
        return Task(
            **self.model_dump(exclude={"setup", "checks"}), setup=self.setup, checks=self.checks, pack="demo",
            template=self.id, intents=(), split="val", gold=(), max_steps=MAX_STEPS,
        )  # fmt: skip


def read_goals(path: Path = GOALS) -> list[DemoGoal]:
    """The goals of a YAML file.

    Raises:
        InputError: naming the entry and the field.
    """
    try:
        entries = TypeAdapter(list[object]).validate_python(YAML(typ="safe").load(path.read_text()))
    except (OSError, YAMLError, ValidationError) as error:
        fix = "write a YAML list of goals"
        raise InputError(f"not a list of goals: {str(error).splitlines()[0]}", where=str(path), fix=fix) from None
    goals = []
    for number, entry in enumerate(entries, 1):
        try:
            goals.append(DemoGoal.model_validate_json(json.dumps(entry, default=str)))
        except ValidationError as error:
            raise explain(error, DemoGoal, where=f"{path}, entry {number}") from None
    return goals


def command(
    decoder: Annotated[str, typer.Option(help="tiny, hf:PATH or openai:URL.")] = "tiny",
    goals: Annotated[Path, typer.Option(help="YAML list of goals.")] = GOALS,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 means one per core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Do every goal in a fresh folder in the sandbox; exit 1 if the judge disagrees with one."""
    tasks = [goal.task() for goal in read_goals(goals)]
    console = Console(stderr=as_json, highlight=False)
    start = time.perf_counter()
    done: dict[str, TaskResult] = {}
    settings = EpisodeSettings(attempts=2)
    with console.status("loading the model") as status:
        with closing(run_tasks(tasks, decoder, settings, workers or default_workers())) as stream:
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
    raise typer.Exit(0 if good == len(results) else 1)


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


def main() -> None:
    """`python -m eval.demo`."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    guarded(app)


if __name__ == "__main__":
    main()
