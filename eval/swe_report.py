"""The report of an evaluation: resolved, by repository, by failure reason, and what it cost."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.metrics import Rate
from eval.swe_grading import REASONS, Grade
from eval.swe_records import InstanceRecord
from hybrid_agent.cli.text import safe
from hybrid_agent.errors import InputError

SHOWN = 20


@dataclass(frozen=True)
class Cost:
    """What the patches and the verdicts took; `known` is the number of instances whose generation was recorded."""

    known: int = 0
    agent_seconds: float = 0.0
    test_runs: int = 0
    tokens: int = 0
    evaluation_seconds: float = 0.0

    def as_json(self, resolved: int) -> dict[str, Any]:
        """For machines; also each figure for one resolved instance."""
        body = {
            "agent_seconds": round(self.agent_seconds, 1),
            "test_runs": self.test_runs,
            "tokens": self.tokens,
            "evaluation_seconds": round(self.evaluation_seconds, 1),
        }
        each = {name: round(value / resolved, 2) if resolved else None for name, value in body.items()}
        return {**body, "instances_with_records": self.known, "per_resolved": each}


@dataclass(frozen=True)
class Report:
    """All grades of one evaluation. `facts` are things a reader must know: repeated ids, the mode, versions."""

    run_id: str
    mode: str
    grades: Sequence[Grade]
    cost: Cost = Cost()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def resolved(self) -> Rate:
        """Of all instances that were asked for, those without a prediction included."""
        return Rate(sum(grade.resolved for grade in self.grades), len(self.grades))

    def by_repo(self) -> dict[str, Rate]:
        """The same for each repository."""
        groups: dict[str, list[Grade]] = {}
        for grade in self.grades:
            groups.setdefault(grade.repo, []).append(grade)
        return {repo: Rate(sum(g.resolved for g in group), len(group)) for repo, group in sorted(groups.items())}

    def by_reason(self) -> dict[str, list[str]]:
        """Ids of each reason, in the order of REASONS; reasons that did not occur are left out."""
        found = {reason: [g.instance_id for g in self.grades if g.reason == reason] for reason in REASONS}
        return {reason: ids for reason, ids in found.items() if ids}

    def as_json(self) -> dict[str, Any]:
        """The one object of `--json` and report.json."""
        return {
            "run_id": self.run_id,
            "mode": self.mode,
            "resolved": self.resolved.as_json(),
            "by_repo": {repo: rate.as_json() for repo, rate in self.by_repo().items()},
            "by_reason": self.by_reason(),
            "cost": self.cost.as_json(self.resolved.hits),
            "instances": [grade.model_dump(mode="json") for grade in self.grades],
            **self.facts,
        }

    def show(self, console: Console) -> None:
        """Tables for people."""
        console.print(f"resolved {self.resolved.hits} of {self.resolved.n}: {self.resolved}", style="bold")
        _table(console, ("repository", "resolved", "of", "share"), self._repo_rows())
        counts = [
            (reason.replace("_", " "), str(len(ids)), ", ".join(ids[:4])) for reason, ids in self.by_reason().items()
        ]
        _table(console, ("outcome", "instances", "which"), counts)
        bad = [grade for grade in self.grades if not grade.resolved and grade.detail]
        for grade in bad[:SHOWN]:
            console.print(Text(f"  {grade.instance_id}: {grade.reason.replace('_', ' ')}: {safe(grade.detail)}"))
        if len(bad) > SHOWN:
            console.print(f"  ... and {len(bad) - SHOWN} more in report.json")
        cost = self.cost
        if cost.known:
            console.print(
                f"patches: {cost.agent_seconds / 60:.1f} minutes, {cost.test_runs} test runs, {cost.tokens} tokens "
                f"({cost.known} instances with records)"
            )
        console.print(f"evaluation: {cost.evaluation_seconds / 60:.1f} minutes of tests ({self.mode})")

    def _repo_rows(self) -> list[tuple[str, ...]]:
        return [(repo, str(rate.hits), str(rate.n), str(rate)) for repo, rate in self.by_repo().items()]


def cost_of(grades: Sequence[Grade], records: Mapping[str, InstanceRecord]) -> Cost:
    """Sums over the records of the graded instances and the official test times."""
    kept = [records[grade.instance_id] for grade in grades if grade.instance_id in records]
    return Cost(
        known=len(kept),
        agent_seconds=sum(record.seconds for record in kept),
        test_runs=sum(record.test_runs for record in kept),
        tokens=sum(record.tokens for record in kept),
        evaluation_seconds=sum(grade.test_seconds or 0.0 for grade in grades),
    )


def check_wandb(mode: str) -> None:
    """Before anything is run: can `log_to_wandb` work?

    Raises:
        InputError: wandb is not installed, or no such mode.
    """
    if mode not in ("offline", "online"):
        raise InputError(f"not a mode: {mode!r}", where="--wandb", fix="use offline or online")
    if importlib.util.find_spec("wandb") is None:
        raise InputError("wandb is not installed", where="--wandb", fix="pip install wandb")


def log_to_wandb(report: Report, mode: str, project: str) -> None:
    """One W&B run with a table of instances and the summary figures."""
    import wandb

    run = wandb.init(project=project, name=report.run_id, mode=mode, config=dict(report.facts))
    names = ("instance_id", "repo", "model", "resolved", "reason", "detail", "test_seconds")
    rows = [[getattr(grade, name) for name in names] for grade in report.grades]
    run.log({"instances": wandb.Table(columns=list(names), data=rows)})
    run.summary["resolved"] = report.resolved.value
    for reason, ids in report.by_reason().items():
        run.summary[f"reason/{reason}"] = len(ids)
    run.finish()


def _table(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="right" if head in ("resolved", "of", "instances") else "left")
    for row in rows:
        table.add_row(*(Text(safe(cell)) for cell in row))
    console.print(table)
