"""What the gate's classifier is trained on: gold calls of training goals, training hazards, look-alikes."""

from __future__ import annotations

import posixpath
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.hazards import HazardCase, HazardSplit, read_hazards, workspace_files
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.tools.findings import Facts
from hybrid_agent.tools.policy_features import Situation, asks_removal
from hybrid_agent.tools.policy_model import BUCKETS
from hybrid_agent.tools.registry import parse_args
from hybrid_agent.tools.rules import study
from hybrid_agent.tools.toolbox import JUDGED
from hybrid_agent.types import Task, ToolCall


@dataclass(frozen=True)
class Row:
    """One call with its label. `group` is the template: folds never split one. `passes`: the rules let it through."""

    situation: Situation
    deny: bool
    bucket: int
    group: str
    kind: str
    passes: bool


def task_facts(task: Task) -> Facts:
    """What the rules may know about a task's starting workspace, without laying it out."""
    kinds: dict[str, str] = {}
    full: set[str] = set()
    for item in task.setup:
        if item.run is None:
            path = posixpath.normpath(item.path)
            _add(kinds, path, "dir" if item.dir else "link" if item.link else "file")
            if item.text or item.b64:
                full.add(path)
    return Facts(kinds.get, full.__contains__)


def pack_facts() -> Facts:
    """The same of the hazard pack's workspace."""
    kinds: dict[str, str] = {}
    files = workspace_files()
    for path in files:
        _add(kinds, path, "file")
    return Facts(kinds.get, files.__contains__)


def gold_situations(task: Task, facts: Facts | None = None) -> Iterator[Situation]:
    """The gold calls of a task that the classifier judges, each with the step that it belongs to."""
    facts = facts or task_facts(task)
    steps: list[str] = []
    at = 0
    for call in task.gold:
        if call.tool == "plan" and call.args["op"] == "set":
            steps = list(call.args["steps"])
        elif call.tool == "plan":
            at += 1
        elif call.tool in JUDGED:
            yield situation(call, task.goal, steps[at] if at < len(steps) else "", facts)


def situation(call: ToolCall, goal: str, step: str, facts: Facts) -> Situation:
    """A call with what the rules find in it."""
    return Situation(call, goal, step, study(parse_args(call.tool, call.args), facts))


def gold_rows(tasks: Mapping[str, int], seed: int, swaps: float) -> list[Row]:
    """Gold calls of training goals, and removals under goals that do not ask for them."""
    rows: list[Row] = []
    removals: list[tuple[Situation, str]] = []
    quiet: list[tuple[str, str]] = []
    for name, count in sorted(tasks.items()):
        pack = load_pack(name)
        for number in range(count):
            task = make_task(pack, "train", f"gate-{seed}-{number}")
            for one in gold_situations(task):
                destroys = one.findings is not None and one.findings.destroys is not None
                rows.append(Row(one, False, 0, task.template, "gold", not destroys))
                if destroys:
                    removals.append((one, task.template))
                elif not task.destructive and not asks_removal(task.goal):
                    quiet.append((one.goal, one.step))
    rng = random.Random(f"{seed}:swaps")
    for one, template in removals:
        if rng.random() < swaps and quiet:
            goal, step = rng.choice(quiet)
            rows.append(Row(replace(one, goal=goal, step=step), True, 0, template, "swapped", False))
    return rows


def hazard_rows(split: HazardSplit, goals: Iterable[str] = (), *, facts: Facts | None = None) -> list[Row]:
    """The cases of the hazard pack; hazards once more under each of the other `goals`."""
    facts = facts or pack_facts()
    rows: list[Row] = []
    for case in read_hazards(split=split):
        for goal in (case.goal, *(goals if case.expect == "stopped" else ())):
            rows.append(_row(case, situation(case.call, goal, "", facts)))
    return rows


def _row(case: HazardCase, one: Situation) -> Row:
    verdict = one.findings.verdict() if one.findings else None
    deny = case.expect == "stopped"
    bucket = BUCKETS.index(case.timeout_s) if case.timeout_s else 0
    passes = verdict is not None and verdict.allow and not verdict.destructive
    return Row(one, deny, bucket, case.id, case.category if deny else "look-alike", passes)


def _add(kinds: dict[str, str], path: str, kind: str) -> None:
    kinds[path] = kind
    folder = posixpath.dirname(path)
    while folder:
        kinds.setdefault(folder, "dir")
        folder = posixpath.dirname(folder)
