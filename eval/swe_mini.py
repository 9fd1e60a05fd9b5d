"""The mini SWE-bench pack, end to end: patches, tests in the sandbox, official grades.

python -m eval.swe_mini                     patches of the local patch loop
python -m eval.swe_mini gold=true           the gold patches (all must resolve)
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from hybrid_agent.cli.exits import MACHINERY, program
from hybrid_agent.config.load import load_config
from hybrid_agent.config.swe_mini import SweMiniConfig
from hybrid_agent.errors import InputError

if TYPE_CHECKING:
    from eval.swe_records import InstanceRecord
    from eval.swe_report import Report
    from hybrid_agent.swe.bench.predictions import Prediction

HERE = Path(__file__).resolve().parents[1]
MARK, PREDICTIONS, LOGS, SETTINGS = "report.json", "predictions.jsonl", "logs", "settings.json"
Row = dict[str, Any]


def evaluate(config: SweMiniConfig, console: Console) -> tuple[Path, Report]:
    """Make or read patches, test them in the sandbox, grade them officially; a new attempt, and its report.

    Raises:
        InputError: an unknown instance, or a bad predictions file.
        SandboxError: no jail can be built here.
    """
    from eval.manifest import seal
    from eval.pool import default_workers
    from eval.swe_grading import check_version, grade_logs
    from eval.swe_mini_run import run_all
    from eval.swe_report import Report, cost_of
    from hybrid_agent.runs.atomic import file_hash, write_json
    from hybrid_agent.swe.bench.predictions import write_predictions
    from task_packs.swe_mini.mirror import INSTANCES, read_rows, write_mirrors

    started = time.perf_counter()
    version = check_version()
    rows = select(read_rows(), config)
    workers = min(config.workers or default_workers(), len(rows))
    attempt = _attempt(config, console)
    mirrors = write_mirrors(Path(config.cache), rows)
    predictions, records = _predict(rows, config, workers, attempt, console)
    write_predictions(attempt / PREDICTIONS, [predictions[r["instance_id"]] for r in rows if _has(r, predictions)])
    with _progress(console, "tests", sum(_has(row, predictions) for row in rows)) as told:
        run_all(
            rows,
            predictions,
            mirrors,
            attempt / LOGS,
            timeout_s=config.timeout_s,
            workers=workers,
            told=lambda _: told(),
        )
    grades = grade_logs(rows, predictions, _folder(attempt / LOGS))
    facts = {
        "suite": "swe_mini",
        "dataset": str(INSTANCES.relative_to(HERE)),
        "swebench": version,
        "models": sorted({prediction.model for prediction in predictions.values()}),
        "budget": config.budget,
        "tests": config.tests,
        "order": config.order,
        "errors": {i: record.reason for i, record in sorted(records.items()) if record.state == "error"},
        "seconds": time.perf_counter() - started,
        "report": str(attempt / MARK),
    }
    report = Report(
        f"swe_mini-{attempt.name}", "official eval scripts in the sandbox", grades, cost_of(grades, records), facts
    )
    body = report.as_json()
    write_json(attempt / MARK, body)
    seal(
        attempt,
        "eval.swe_mini",
        config,
        [MARK, PREDICTIONS],
        seed=config.seed,
        data_hash=file_hash(INSTANCES),
        metrics={key: body[key] for key in ("resolved", "by_repo", "by_reason", "cost")},
        versions=["swebench", "pytest", "libcst"],
    )
    return attempt, report


def select(rows: Sequence[Row], config: SweMiniConfig) -> list[Row]:
    """The rows that are asked for, in the data set's order.

    Raises:
        InputError: a name is neither an instance nor a repository.
    """
    known = {row["instance_id"] for row in rows}
    repos = {row["repo"].split("/")[1] for row in rows}
    for name in config.instances:
        if name not in known | repos:
            fix = f"give ids of task_packs/swe_mini/instances.jsonl, or {', '.join(sorted(repos))}"
            raise InputError(f"no instance or repository {name!r}", field="instances", fix=fix)
    wanted = set(config.instances)
    chosen = [r for r in rows if not wanted or r["instance_id"] in wanted or r["repo"].split("/")[1] in wanted]
    return chosen[: config.limit]


def _attempt(config: SweMiniConfig, console: Console) -> Path:
    """The attempt that was ended before it had all patches, if it had the same settings; else a new one."""
    from hybrid_agent.runs.atomic import write_json
    from hybrid_agent.runs.layout import new_attempt, open_attempt

    settings = config.model_dump(mode="json", exclude={"workers", "timeout_s", "out", "cache"})
    settings["agent_source"] = _agent_hash()
    made = not config.gold and config.predictions is None
    last = open_attempt(Path(config.out), "eval", "swe_mini") if made else None
    kept = last / SETTINGS if last is not None else None
    if last is not None and kept is not None and kept.is_file() and json.loads(kept.read_bytes()) == settings:
        console.print(f"going on with {last}", soft_wrap=True)
        return last
    attempt = new_attempt(Path(config.out), "eval", "swe_mini")
    write_json(attempt / SETTINGS, settings)
    return attempt


def _agent_hash() -> str:
    """Of the patch loop's source and weights."""
    from hybrid_agent.runs.atomic import file_hash

    folder = HERE / "hybrid_agent" / "swe"
    files = sorted(path for kind in ("*.py", "*.json") for path in folder.rglob(kind))
    body = "\n".join(f"{path.relative_to(folder)} {file_hash(path)}" for path in files)
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _predict(
    rows: Sequence[Row], config: SweMiniConfig, workers: int, attempt: Path, console: Console
) -> tuple[dict[str, Prediction], dict[str, InstanceRecord]]:
    """Patches by instance, and the records of their making."""
    from hybrid_agent.swe.bench.predictions import gold_predictions, read_predictions

    if config.gold:
        return dict(gold_predictions(rows).by_id), {}
    if config.predictions is not None:
        return dict(read_predictions(Path(config.predictions)).by_id), {}
    return _generate(rows, config, workers, attempt, console)


def _generate(
    rows: Sequence[Row], config: SweMiniConfig, workers: int, attempt: Path, console: Console
) -> tuple[dict[str, Prediction], dict[str, InstanceRecord]]:
    from eval.swe_agent import AgentSettings, checked
    from eval.swe_generate import Job, generate
    from eval.swe_records import PredictionRun
    from hybrid_agent.swe.bench.predictions import Prediction

    settings = checked(
        AgentSettings(
            config.agent,
            budget=config.budget,
            tests=config.tests,
            seed=config.seed,
            decoder=config.decoder,
            order=config.order,
        )
    )
    model = f"hybrid-agent-{config.agent}"
    order = [row["instance_id"] for row in rows]
    run = PredictionRun(attempt / PREDICTIONS, model, settings.identity(), order, restart=False)
    jobs = [Job(row, run.instance(row["instance_id"]), config.cache) for row in rows if not run.done(row)]
    work = generate(jobs, settings, workers, run.folder)
    with closing(run), closing(work) as records, _progress(console, "patches", len(jobs)) as told:
        for record in records:
            run.add(record)
            told()
            said = f" ({record.reason.splitlines()[0][:120]})" if record.state != "patch" and record.reason else ""
            line = f"{record.instance_id}: {record.state}, test runs: {record.test_runs}{said}"
            console.print(line, soft_wrap=True)
    return {i: Prediction(i, model, record.patch) for i, record in run.records.items()}, dict(run.records)


def _has(row: Row, predictions: dict[str, Prediction]) -> bool:
    return row["instance_id"] in predictions


def _folder(path: Path) -> Path:
    path.mkdir(exist_ok=True)  # no patch, no log
    return path


@contextmanager
def _progress(console: Console, title: str, total: int) -> Iterator[Any]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        shown = bar.add_task(title, total=total)
        yield lambda: bar.advance(shown)


def command(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="As in configs/swe_mini.yaml: gold=true limit=5.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Patches for the mini SWE-bench pack, tested in the sandbox and graded by the official code."""
    config = load_config("swe_mini", overrides or [], SweMiniConfig)
    console = Console(stderr=as_json, highlight=False)
    attempt, report = evaluate(config, console)
    report.show(console)
    console.print(f"report: {attempt / MARK}", soft_wrap=True)
    if as_json:
        print(json.dumps(report.as_json()))
    if failed := report.facts["errors"]:
        console.print(f"the machinery failed on {len(failed)} instances: {next(iter(failed.values()))}", soft_wrap=True)
        raise typer.Exit(MACHINERY)


if __name__ == "__main__":
    program(command)
