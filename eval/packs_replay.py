"""Replay the gold solution of every stored task through the agent's own loop, in the sandbox (`make packs`).

A task is red if a check of the judge fails, if the agent's own verification disagrees with the gold ending, or if a
gold call is not valid or is denied. One red task fails the command.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from eval.episode import EpisodeSettings, limited
from eval.metrics import grouped
from eval.pool import GOLD, default_workers, run_tasks
from eval.result import TaskResult
from hybrid_agent.cli.exits import program
from hybrid_agent.errors import InputError
from hybrid_agent.packs.pack import SPLITS, pack_names
from hybrid_agent.packs.store import load_tasks
from hybrid_agent.types import Split, Task

SHOWN = 20


def problem(task: Task, result: TaskResult) -> str | None:
    """Why a replay is red, or None."""
    if result.infra:
        return f"infrastructure: {result.summary}"
    for check in result.failed_checks:
        return f"check {check.check}: {check.detail}"
    if result.invalid:
        return f"{result.invalid} gold call(s) do not parse or validate"
    if result.denied:
        return f"{result.denied} gold call(s) were denied"
    wanted = str(task.gold[-1].args.get("status"))
    if result.status != wanted:
        return f"ended {result.status!r} instead of {wanted!r}: {result.summary}"
    if wanted == "done" and not result.verified:
        return f"the agent's own verification failed: {result.summary}"
    return None


def chosen(packs: Iterable[str], split: str | None, family: str | None, limit: int | None) -> list[Task]:
    """The stored tasks to replay."""
    tasks: list[Task] = []
    for pack in packs:
        stored = load_tasks(pack, _split(split))
        tasks += limited([task for task in stored if family in (None, task.family)], limit)
    if not tasks:
        raise InputError("no stored task fits", fix="list what there is with: hybrid-agent tasks")
    return tasks


def _split(name: str | None) -> Split | None:
    known: dict[str, Split] = {split: split for split in SPLITS}
    if name is not None and name not in known:
        raise InputError(f"no split named {name!r}", where="--split", fix=f"use one of {', '.join(SPLITS)}")
    return None if name is None else known[name]


def command(
    pack: Annotated[list[str] | None, typer.Option(help="Only this pack (may be repeated).")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most N tasks of each split.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 means one per core.")] = 0,
    fast: Annotated[bool, typer.Option("--fast", help="One standing jail a task instead of one a call.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Replay every gold trace in the sandbox; exit 1 if one is red."""
    console = Console(stderr=as_json, highlight=False)
    packs = pack_names()
    for name in pack or []:
        if name not in packs:
            raise InputError(f"no task pack {name!r}", where="--pack", fix=f"use one of {', '.join(packs)}")
    tasks = chosen(pack or packs, split, family, limit)
    by_id = {task.id: task for task in tasks}
    settings = EpisodeSettings(sandbox="session" if fast else "bubblewrap")
    red: list[tuple[TaskResult, str]] = []
    results: list[TaskResult] = []
    start = time.perf_counter()
    bar = Progress(
        TextColumn("replay"), BarColumn(), MofNCompleteColumn(), TextColumn("red {task.fields[red]}"),
        TimeElapsedColumn(), TimeRemainingColumn(), console=console, disable=not console.is_terminal,
    )  # fmt: skip
    with bar, closing(run_tasks(tasks, GOLD, settings, workers or default_workers())) as stream:
        shown = bar.add_task("replay", total=len(tasks), red=0)
        for result in stream:
            results.append(result)
            why = problem(by_id[result.task_id], result)
            if why is not None:
                red.append((result, why))
                if len(red) <= SHOWN:
                    bar.console.print(Text(f"RED {result.task_id} ({result.family})\n    {why}"), soft_wrap=True)
            bar.update(shown, advance=1, red=len(red))
    seconds = time.perf_counter() - start
    for name, found in grouped(results, lambda r: f"{r.pack} {r.split}").items():
        bad = sum(f"{r.pack} {r.split}" == name for r, _ in red)
        console.print(f"{name:24} {len(found) - bad} of {len(found)} green")
    console.print(f"{len(results)} gold traces replayed in {seconds:.0f} s, {len(red)} red")
    if as_json:
        body = {"replayed": len(results), "red": {r.task_id: why for r, why in red}, "seconds": seconds}
        print(json.dumps({"success": not red, **body}))
    raise typer.Exit(1 if red else 0)


if __name__ == "__main__":
    program(command)
