"""Evaluate predictions with the official SWE-bench harness, or grade saved logs by its code.

python -m eval.swebench_run_eval --dataset_name NAME --predictions_path preds.jsonl --max_workers 8
python -m eval.swebench_run_eval --dataset_name NAME --predictions_path preds.jsonl --offline --logs DIR
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from eval.swe_grading import check_version, grade_logs
from eval.swe_harness import HarnessRun, run_id_of
from eval.swe_preflight import Finding, preflight
from eval.swe_records import folder_of, read_records
from eval.swe_report import Report, check_wandb, cost_of, log_to_wandb
from hybrid_agent.cli.exits import STOPPED, program
from hybrid_agent.cli.text import safe
from hybrid_agent.errors import InfraError, InputError
from hybrid_agent.runs.atomic import write_json
from hybrid_agent.swe.bench.dataset import Row, load_rows, require_evaluation, select_rows
from hybrid_agent.swe.bench.predictions import GOLD, Prediction, Predictions, gold_predictions, read_predictions

STYLES = {"ok": "green", "warning": "yellow", "error": "red"}


def command(
    dataset_name: Annotated[str, typer.Option("--dataset_name", help="Hub id, .json, .jsonl, .parquet or folder.")],
    predictions_path: Annotated[str, typer.Option("--predictions_path", help=".jsonl or .json; or `gold`.")],
    max_workers: Annotated[int, typer.Option("--max_workers", min=1, help="Containers at a time.")] = 4,
    split: Annotated[str, typer.Option("--split", help="Of the data set.")] = "test",
    instance_ids: Annotated[
        list[str] | None, typer.Option("--instance_ids", "-i", help="Only these (repeat, or separate by commas).")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N instances.")] = None,
    run_id: Annotated[str, typer.Option("--run_id", help="A name; a hash of the patches is put after it.")] = "eval",
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="Seconds for the tests of an instance.")] = 1800,
    report_dir: Annotated[Path, typer.Option("--report_dir", help="Logs and report go to a folder below it.")] = Path(
        "runs/swebench"
    ),
    offline: Annotated[bool, typer.Option("--offline", help="No Docker: grade the logs that are there.")] = False,
    logs: Annotated[Path | None, typer.Option("--logs", help="Saved logs; default: those of this run.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Go on though the pre-flight found errors.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only the pre-flight.")] = False,
    wandb: Annotated[str | None, typer.Option("--wandb", help="Also to W&B: offline or online.")] = None,
    wandb_project: Annotated[str, typer.Option("--wandb_project")] = "hybrid-agent-swebench",
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Evaluate predictions with the official SWE-bench harness, or grade saved logs by its code."""
    console = Console(stderr=as_json, highlight=False)
    version = check_version()
    if wandb is not None:
        check_wandb(wandb)
    ids = [part for text in instance_ids or [] for part in text.replace(",", " ").split()]
    every = load_rows(dataset_name, split)
    rows = select_rows(every, ids, limit, dataset_name)
    require_evaluation(rows, dataset_name)
    predictions, records_of = _predictions(predictions_path, every, rows)
    _say_repeated(console, predictions)
    if logs is not None and not offline:
        raise InputError("is read only with --offline", where="--logs", fix="add --offline")
    chosen = [predictions.by_id[row["instance_id"]] for row in rows if row["instance_id"] in predictions.by_id]
    named = run_id_of(run_id, rows, chosen)
    run = HarnessRun(report_dir / named, named, max_workers, timeout)
    found: list[Finding] = []
    if not offline:
        found = preflight(rows, max_workers, report_dir)
        _show(console, found)
        if check:
            raise typer.Exit(3 if any(finding.level == "error" for finding in found) else 0)
        if not force and (bad := [finding for finding in found if finding.level == "error"]):
            raise InfraError(
                "; ".join(f"{finding.name}: {finding.detail}" for finding in bad) + f" (fix: {bad[0].fix})"
            )
        run.folder.mkdir(parents=True, exist_ok=True)
        run.prepare(rows, chosen)
        _run(run, chosen, console)
    grades = grade_logs(rows, dict(predictions.by_id), logs or run.logs)
    report = Report(
        named,
        "offline, from saved logs" if offline else "official harness in containers",
        grades,
        cost_of(grades, read_records(records_of) if records_of else {}),
        {
            "dataset": dataset_name,
            "split": split,
            "swebench": version,
            "models": predictions.models,
            "repeated": list(predictions.repeated),
            "preflight": [finding.as_json() for finding in found],
        },
    )
    report.show(console)
    run.folder.mkdir(parents=True, exist_ok=True)
    write_json(run.folder / "report.json", report.as_json())
    console.print(f"report: {run.folder / 'report.json'}", soft_wrap=True)
    if wandb is not None:
        log_to_wandb(report, wandb, wandb_project)
    if as_json:
        print(json.dumps(report.as_json()))


def _predictions(path: str, every: Sequence[Row], rows: Sequence[Row]) -> tuple[Predictions, Path | None]:
    """The predictions, and the folder with the records of their making if there is one."""
    if path == GOLD:
        return gold_predictions(rows), None
    predictions = read_predictions(Path(path))
    unknown = sorted(set(predictions.by_id) - {row["instance_id"] for row in every})
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise InputError(
            f"predictions for {', '.join(unknown[:3])}{more}, which the data set does not have",
            where=path,
            fix="give the data set and split they were made for",
        )
    folder = folder_of(Path(path))
    return predictions, folder if folder.is_dir() else None


def _say_repeated(console: Console, predictions: Predictions) -> None:
    if predictions.repeated:
        console.print(
            f"{len(predictions.repeated)} instances are predicted more than once, the last line counts: "
            + ", ".join(predictions.repeated[:3]),
            style="yellow",
        )


def _show(console: Console, found: Sequence[Finding]) -> None:
    for finding in found:
        line = Text(f"{finding.level:8}", style=STYLES[finding.level])
        fix = f" (fix: {finding.fix})" if finding.fix else ""
        console.print(line.append(f"{finding.name}: {safe(finding.detail)}{fix}", style="default"), soft_wrap=True)


def _run(run: HarnessRun, predictions: Sequence[Prediction], console: Console) -> None:
    total = sum(bool(prediction.patch.strip()) for prediction in predictions)
    console.print(f"run {run.run_id}: {total} patches, log {run.folder / 'harness.log'}", soft_wrap=True)
    if (before := run.finished()) and before >= total:
        console.print("all were evaluated before with the same patches; the harness only reports")
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    try:
        with bar:
            shown = bar.add_task("evaluation", total=total)
            run.run(lambda done: bar.update(shown, completed=min(done, total)))
    except KeyboardInterrupt:
        console.print("stopped; finished instances are kept, the same command goes on from there")
        raise typer.Exit(STOPPED) from None


if __name__ == "__main__":
    program(command)
