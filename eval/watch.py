"""What an evaluation tells whoever watches it: figures as tasks finish, and what agents did, as a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from rich.console import Console

from eval.metrics import summarize
from eval.result import TaskResult
from hybrid_agent.config.tracking import TrackingConfig
from hybrid_agent.errors import InputError
from hybrid_agent.runs.tracking import Cell, Tracker, open_tracker
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.types import Record

POINTS = 50  # of a curve; a summary of all tasks so far is worked out for each


def watching(config: Record, tracking: TrackingConfig, folder: Path, console: Console) -> Tracker:
    """The tracker of an evaluation in `folder` (OUT/eval/SUITE/ATTEMPT)."""

    def warn(text: str) -> None:
        console.print(f"warning: {text}", style="yellow", markup=False)

    name, settings = "/".join(folder.parts[-3:]), config.model_dump(mode="json")
    return open_tracker(folder, stage="eval", name=name, config=settings, warn=warn, **tracking.model_dump())


def log_progress(tracker: Tracker, results: Collection[TaskResult], wanted: int) -> None:
    """Figures over all tasks so far, if it is time for a point of the curve; the step is their number."""
    if len(results) % max(1, wanted // POINTS) == 0 and len(results) < wanted:
        tracker.log(len(results), figures(results))


def figures(results: Collection[TaskResult]) -> dict[str, float]:
    """Success, times, veto hits, routing shares and the accepted share of drafted tokens."""
    found = summarize(results)
    out = {
        "success": found.success.value,
        "segment_p50_ms": found.segment_p50,
        "segment_p95_ms": found.segment_p95,
        "episode_p95_ms": found.episode_p95,
        "mean_k": found.mean_k,
        "early": float(found.early),
        "vetoed": float(found.vetoed),
        "denied": float(found.denied),
        "destructive_outside": float(found.destructive_outside),
        "masked": float(found.infra),
    }
    drafted = sum(result.drafted for result in results)
    if drafted:
        out["accept_rate"] = sum(result.accepted for result in results) / drafted
    routed = sum((Counter(result.experts) for result in results), Counter[str]())
    out |= {f"routing/{name}": count / routed.total() for name, count in sorted(routed.items())}
    return {f"agent/{name}": round(value, 6) for name, value in out.items()}


def tell(tracker: Tracker, results: Collection[TaskResult], traces: Path) -> None:
    """The figures over all tasks, and a table of episodes, failures first: what was asked, every call with what came
    of it, what the judge said."""
    if results:
        tracker.log(len(results), figures(results))
    columns = ["task", "family", "success", "status", "goal", "calls", "judge"]
    rows: list[list[Cell]] = []
    for result in sorted(results, key=lambda one: one.success)[: tracker.samples]:
        judge = "\n".join(f"{check.check}: {check.detail}" for check in result.failed_checks)
        facts: list[Cell] = [result.task_id, result.family, result.success, result.status, result.goal]
        rows.append([*facts, _calls(traces / result.trace) if result.trace else "", judge])
    tracker.table("traces", columns, rows)


def _calls(path: Path) -> str:
    try:
        steps = read_trace(path).steps
    except (OSError, InputError):
        return ""
    return "\n".join(f"{_shown(step.content)}  {'ok' if step.ok else 'failed'}" for step in steps)


def _shown(content: str) -> str:
    try:
        body = json.loads(content)
        return f"{body['tool']} {json.dumps(body['args'], ensure_ascii=False)}"
    except (ValueError, KeyError, TypeError):
        return content
