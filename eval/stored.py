"""Results of earlier evaluations that a new one would only repeat: same model, parts, tasks, settings and source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from eval.attempt import STAGE, identity_hash, source_hash
from eval.result import TaskResult, read_results
from eval.run import evaluate, identity_of, select_tasks
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.runs.layout import attempts

if TYPE_CHECKING:
    from hybrid_agent.assemble.parts import HybridSpec


# Thresholds that say something only to one part.
SETTINGS = {
    "scorer": ("veto_p", "tau_p", "margin", "min_scored"),
    "planner": ("tau_risk", "heed", "prior_weight"),
    "experts": ("route", "depth"),
    "shaping": ("alpha",),
}


@dataclass(frozen=True)
class Found:
    """Results of the tasks asked for, and where the traces of each lie.

    `complete` is False if the evaluation was stopped; `stored` if nothing had to be run.
    """

    results: list[TaskResult]
    traces: dict[str, Path]
    complete: bool = True
    stored: bool = True


class Interrupted(Exception):
    """An evaluation was stopped before its end."""


def stored(config: EvalConfig) -> Found:
    """What is already known of the tasks that the config asks for (masked results do not count)."""
    tasks = select_tasks(config)
    digest = identity_hash({**identity_of(config), "source": source_hash()})
    wanted = {task.id for task in tasks}
    known: dict[str, TaskResult] = {}
    traces: dict[str, Path] = {}
    for path in reversed(attempts(Path(config.out), STAGE, config.suite.name)):
        if wanted <= known.keys():
            break
        if _digest(path) != digest:
            continue
        for task_id, result in read_results(path / "results.jsonl").items():
            if task_id in wanted and task_id not in known and not result.infra:
                known[task_id] = result
                if result.trace:
                    traces[task_id] = path / "traces" / result.trace
    ordered = [known[task.id] for task in tasks if task.id in known]
    return Found(ordered, traces, complete=len(ordered) == len(tasks))


def results_of(config: EvalConfig, console: Console) -> Found:
    """Stored results if they are complete, else an evaluation of what is missing."""
    found = stored(config)
    if found.complete:
        return found
    outcome = evaluate(config, console)
    folder = outcome.attempt.traces
    traces = {result.task_id: folder / result.trace for result in outcome.results if result.trace}
    return Found(outcome.results, traces, complete=outcome.complete, stored=False)


def all_of(config: EvalConfig, console: Console) -> Found:
    """Results of every task asked for.

    Raises:
        Interrupted: the evaluation was stopped.
    """
    found = results_of(config, console)
    if not found.complete:
        raise Interrupted
    return found


def same_agent(spec: HybridSpec) -> str:
    """A hash that is equal for agents that do the same.

    A veto without a scorer does nothing, nor do settings of parts that are not used.
    """
    body = spec.identity()
    idle = {name for part, names in SETTINGS.items() if part not in spec.parts for name in names}
    body["rules"] = {name: value for name, value in body["rules"].items() if name not in idle}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def drop_infra(results: Iterable[TaskResult]) -> list[TaskResult]:
    """Without those that say nothing about the agent."""
    return [result for result in results if not result.infra]


def _digest(path: Path) -> str | None:
    try:
        return str(json.loads((path / "identity.json").read_text())["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
