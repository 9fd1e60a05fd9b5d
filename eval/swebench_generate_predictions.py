"""Write a patch for every instance of a SWE-bench data set, in the official predictions format.

python -m eval.swebench_generate_predictions --dataset_name NAME --out preds.jsonl --limit 5 \\
    --model_name me --agent local --repo_root MIRRORS
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from eval.swe_agent import AGENTS, GIVEN, HIDDEN, ORDERS, TEST_CMD, AgentSettings, checked
from eval.swe_records import InstanceRecord, PredictionRun, count
from hybrid_agent.cli.exits import MACHINERY, STOPPED, program
from hybrid_agent.cli.text import safe
from hybrid_agent.errors import InputError
from hybrid_agent.swe.bench.dataset import Row, load_rows, select_rows

STYLES = {"patch": "green", "does_not_apply": "red", "empty": "yellow", "error": "red"}


def command(
    dataset_name: Annotated[str, typer.Option("--dataset_name", help="Hub id, .json, .jsonl, .parquet or folder.")],
    out: Annotated[Path, typer.Option("--out", help="Predictions file, .jsonl; a run that was ended goes on in it.")],
    model_name: Annotated[str, typer.Option("--model_name", help="`model_name_or_path` of the predictions.")],
    agent: Annotated[str, typer.Option("--agent", help=" | ".join(AGENTS) + " (gold checks the chain).")] = AGENTS[0],
    split: Annotated[str, typer.Option("--split", help="Of the data set.")] = "test",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N instances.")] = None,
    instance_ids: Annotated[
        list[str] | None, typer.Option("--instance_ids", "-i", help="Only these (repeat, or separate by commas).")
    ] = None,
    repo_root: Annotated[
        str | None,
        typer.Option(
            "--repo_root", help="Folder of mirrors, a git repository, or URL with {repo}. Default: github.com."
        ),
    ] = None,
    test_cmd: Annotated[
        str | None, typer.Option("--test_cmd", help=f"Default: the row's own test_cmd, else {TEST_CMD!r}.")
    ] = None,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Test runs an instance.")] = 40,
    tests: Annotated[
        str,
        typer.Option(
            "--tests", help=f"{HIDDEN}: as in SWE-bench; {GIVEN}: the agent sees the test patch (not a submission)."
        ),
    ] = HIDDEN,
    decoder: Annotated[
        str, typer.Option("--decoder", help="Of the hybrid agent: tiny, hf:PATH or openai:URL.")
    ] = "tiny",
    python: Annotated[str | None, typer.Option("--python", help="Interpreter that runs the tests.")] = None,
    order: Annotated[str, typer.Option("--order", help="Of the candidates: " + " | ".join(ORDERS))] = ORDERS[0],
    seed: Annotated[int, typer.Option("--seed")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0: one a core.")] = 0,
    restart: Annotated[bool, typer.Option("--restart", help="Throw away what --out holds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Write a patch for every instance of a SWE-bench data set."""
    if not model_name.strip():
        raise InputError("is empty", where="--model_name", fix="name the model")
    settings = checked(AgentSettings(agent, test_cmd, budget, tests, seed, decoder, python, cast(Any, order)))
    console = Console(stderr=as_json, highlight=False)
    ids = [part for text in instance_ids or [] for part in text.replace(",", " ").split()]
    rows = load_rows(dataset_name, split)
    chosen = select_rows(rows, ids, limit, dataset_name)
    run = PredictionRun(out, model_name, settings.identity(), [row["instance_id"] for row in rows], restart=restart)
    with closing(run):
        complete = _generate(run, chosen, settings, repo_root, workers, console)
        made = [run.records[row["instance_id"]] for row in chosen if row["instance_id"] in run.records]
        _print(console, made, run)
        if as_json:
            print(json.dumps(_summary(run, made, complete)))
    if not complete:
        raise typer.Exit(STOPPED)
    if any(record.state == "error" for record in made):
        raise typer.Exit(MACHINERY)


def _generate(
    run: PredictionRun, rows: list[Row], settings: AgentSettings, root: str | None, workers: int, console: Console
) -> bool:
    """Work through what is not done; False if it was stopped."""
    from eval.pool import default_workers
    from eval.swe_generate import Job, generate

    left = [row for row in rows if not run.done(row)]
    if len(left) < len(rows):
        console.print(f"{len(rows) - len(left)} of {len(rows)} instances were done before ({run.out})")
    jobs = [Job(row, run.instance(row["instance_id"]), root) for row in left]
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("patches {task.fields[patches]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    done = {row["instance_id"] for row in rows} - {row["instance_id"] for row in left}
    patches = sum(bool(record.patch) for record in run.records.values() if record.instance_id in done)
    run.write()
    try:
        with bar, closing(generate(jobs, settings, workers or default_workers(), run.folder)) as records:
            shown = bar.add_task(settings.agent, total=len(rows), completed=len(done), patches=patches)
            for record in records:
                run.add(record)
                run.write()
                patches += bool(record.patch)
                bar.update(shown, advance=1, patches=patches)
                _line(console, record)
    except KeyboardInterrupt:
        console.print("stopped; what is finished is kept, the same command goes on from there")
        return False
    return True


def _line(console: Console, record: InstanceRecord) -> None:
    said = "" if record.state == "patch" else f": {safe(record.reason)[:200]}"
    word = {"empty": "empty patch", "does_not_apply": "does not apply"}.get(record.state, record.state)
    console.print(Text(f"{record.instance_id}  ").append(word, STYLES[record.state]).append(said), soft_wrap=True)


def _print(console: Console, made: Sequence[InstanceRecord], run: PredictionRun) -> None:
    table = Table(box=None, pad_edge=False)
    for head in ("instances", "patch applies", "does not apply", "empty patch", "error", "test runs", "minutes"):
        table.add_column(head, justify="right")
    states = count(made)
    counts = [str(states.get(state, 0)) for state in ("patch", "does_not_apply", "empty", "error")]
    minutes = sum(record.seconds for record in made) / 60
    table.add_row(str(len(made)), *counts, str(sum(record.test_runs for record in made)), f"{minutes:.1f}")
    console.print(table)
    console.print(f"predictions: {run.out}\ntraces: {run.folder}/<instance>/trace.json", soft_wrap=True)


def _summary(run: PredictionRun, made: Sequence[InstanceRecord], complete: bool) -> dict[str, Any]:
    return {
        "predictions": str(run.out),
        "traces": str(run.folder),
        "complete": complete,
        "instances": len(made),
        "states": count(made),
        "test_runs": sum(record.test_runs for record in made),
        "tokens": sum(record.tokens for record in made),
        "seconds": sum(record.seconds for record in made),
        "not_applying": [record.instance_id for record in made if record.state == "does_not_apply"],
        "empty": [record.instance_id for record in made if record.state == "empty"],
        "errors": {record.instance_id: record.reason for record in made if record.state == "error"},
    }


if __name__ == "__main__":
    program(command)
