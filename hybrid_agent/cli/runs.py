"""`hybrid-agent runs`, `trace` and `rollback`: what happened, and how to undo it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hybrid_agent.assemble.rundir import RunDir

RunName = Annotated[
    str, typer.Argument(metavar="RUN", help='A run id, the start of one, or "last".', show_default=False)
]
RunsDir = Annotated[
    Path | None, typer.Option(help="Where runs are kept. Default: $HYBRID_AGENT_RUNS or ~/.local/state/...")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def rollback(
    run: RunName,
    to: Annotated[
        str | None, typer.Option(help="Snapshot id; default: the state before the run changed anything.")
    ] = None,
    runs_dir: RunsDir = None,
) -> None:
    """Put the workspace of RUN back, byte for byte, with modes and links."""
    from hybrid_agent.assemble.rollback import roll_back
    from hybrid_agent.assemble.rundir import find_run, runs_root

    kept = find_run(runs_root(runs_dir), run)
    snapshot = roll_back(kept, to)
    if snapshot is None:
        print(f"run {kept.run_id} changed nothing; there is nothing to put back")
    else:
        print(f"{kept.info().workspace} is as it was at snapshot {snapshot}")
    if to is None:
        _forget(kept, runs_root(runs_dir))


def _forget(run: RunDir, root: Path) -> None:
    """What was taken back did not work: memory must not keep it."""
    from hybrid_agent.assemble.memory import memory_config, memory_folder, open_memory

    folder = memory_folder(root)
    if not (folder / "memory.sqlite").is_file():
        return
    from hybrid_agent.assemble.recall import forget_run

    with open_memory(folder, memory_config()) as memory:
        for entry in forget_run(memory, run):
            print(f"memory: {entry.kind} {entry.id} is archived")


def trace(run: RunName, as_json: Json = False, runs_dir: RunsDir = None) -> None:
    """Show the steps of RUN, or print the whole trace as JSON."""
    from hybrid_agent.assemble.rundir import find_run, runs_root
    from hybrid_agent.traces.reader import read_trace

    kept = find_run(runs_root(runs_dir), run)
    episode = read_trace(kept.trace)
    if as_json:
        print(episode.model_dump_json())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hybrid_agent.cli.text import describe_call, describe_obs, describe_verdict, safe, step_ms
    from hybrid_agent.cli.view import planned_steps

    console = Console(highlight=False)
    state = episode.result or ("running" if kept.running else "killed before its end")
    for name, value in (("run", kept.run_id), ("goal", episode.goal), ("workspace", episode.workspace)):
        console.print(Text(f"{name:10} {safe(value)}"), soft_wrap=True)
    console.print(
        Text(f"{'result':10} {state}" + (f": {safe(episode.summary)}" if episode.summary else "")), soft_wrap=True
    )
    table = Table(show_lines=False, box=None, pad_edge=False)
    for title in ("#", "", "call", "came back", "ms", "snapshot"):
        table.add_column(title, justify="right" if title in ("#", "ms") else "left", overflow="fold")
    for number, step in enumerate(episode.steps, 1):
        verdict = describe_verdict(step.verdict)
        came = "\n".join(([verdict] if verdict else []) + describe_obs(step.obs, 80, 3))
        call = "\n".join(
            [describe_call(step.content), *(f"  {n}. {safe(t)}" for n, t in enumerate(planned_steps(step), 1))]
        )
        mark = Text("ok", style="green") if step.ok else Text("no", style="red")
        table.add_row(str(number), mark, Text(call), Text(came), f"{step_ms(step):.0f}", (step.snapshot or "")[:12])
    console.print(table)


def runs(
    as_json: Json = False,
    limit: Annotated[int, typer.Option(min=1, help="Show the newest N.")] = 20,
    runs_dir: RunsDir = None,
) -> None:
    """List runs, oldest first."""
    from hybrid_agent.assemble.rundir import list_runs, runs_root

    root = runs_root(runs_dir)
    rows = [_row(kept) for kept in list_runs(root)[-limit:]]
    if as_json:
        import json

        print(json.dumps(rows))
        return
    if not rows:
        print(f'no runs in {root}; start one with: hybrid-agent run "GOAL"')
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hybrid_agent.cli.text import safe

    table = Table(box=None, pad_edge=False)
    for title in ("run", "result", "steps", "goal"):
        table.add_column(title, justify="right" if title == "steps" else "left", no_wrap=title == "run")
    for row in rows:
        table.add_row(str(row["run_id"]), str(row["result"]), str(row["steps"]), Text(safe(str(row["goal"]))))
    Console(highlight=False).print(table)


def _row(kept: RunDir) -> dict[str, object]:
    from hybrid_agent.errors import InputError
    from hybrid_agent.traces.reader import read_trace

    try:
        episode = read_trace(kept.trace)
    except InputError:
        running = kept.running
        return {"run_id": kept.run_id, "result": "starting" if running else "no trace", "steps": 0, "goal": ""}
    result = episode.result or ("running" if kept.running else "killed")
    return {"run_id": kept.run_id, "result": result, "steps": len(episode.steps), "goal": episode.goal}
