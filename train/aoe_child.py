"""A child of two experts: how much of each parent every layer takes, and whether it earns its place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_agent.config.stages.aoe import AoeConfig
from hybrid_agent.nn.adapters import blend, read_adapter, write_adapter
from hybrid_agent.runs.atomic import write_json
from hybrid_agent.traces.domains import EXPERTS
from train.aoe_adapters import old_adapter
from train.aoe_answers import Paired, Scores, compare
from train.aoe_attempt import CHILD, Attempt, fit
from train.aoe_slices import sample_rows


@dataclass(frozen=True)
class Search:
    """What the search found. `shares` of the first parent a layer; `trials` are all that were tried, in order."""

    shares: tuple[float, ...]
    value: float
    trials: tuple[tuple[tuple[float, ...], float], ...]


def search_shares(
    value: Callable[[Sequence[float]], float], layers: int, values: Sequence[float], rounds: int
) -> Search:
    """Find shares that make `value` small: first one share for all layers, then layer by layer.

    Traits can change abruptly between two parents, so every share is tried instead of following a slope.

    Args:
        value: of shares (one a layer); looked up once for each.
        rounds: passes over the layers.
    """
    seen: dict[tuple[float, ...], float] = {}

    def look(shares: tuple[float, ...]) -> float:
        if shares not in seen:
            seen[shares] = value(shares)
        return seen[shares]

    best = min(((share,) * layers for share in values), key=look)
    for _ in range(rounds):
        before = best
        for layer in range(layers):
            # The present one comes first: a tie changes nothing.
            others = [(*best[:layer], share, *best[layer + 1 :]) for share in values]
            best = min([best, *others], key=look)
        if best == before:
            break
    return Search(best, seen[best], tuple(seen.items()))


def promoted(against: Sequence[Paired], p: float) -> bool:
    """A child stays only if it beats both parents beyond chance."""
    return all(test.wins > test.losses and test.p < p for test in against)


def save_search(path: Path, search: Search) -> None:
    """Store a finished search, so that a resumed run does not repeat it."""
    trials = [{"shares": list(shares), "value": value} for shares, value in search.trials]
    write_json(path, {"shares": list(search.shares), "value": search.value, "trials": trials})


def load_search(path: Path) -> Search:
    """Read back what `save_search` stored."""
    data = json.loads(path.read_text(encoding="utf-8"))
    trials = tuple((tuple(trial["shares"]), trial["value"]) for trial in data["trials"])
    return Search(tuple(data["shares"]), data["value"], trials)


def child_name(stage: AoeConfig) -> str:
    """`editor-config` is the child of editor and config."""
    assert stage.child is not None
    return "-".join(stage.child.parents)


def raise_child(attempt: Attempt) -> dict[str, Any]:
    """Search the shares, fine-tune, and decide against both parents on the half that reports."""
    stage, ranks, name = attempt.stage, attempt.trainer.ranks, child_name(attempt.stage)
    assert stage.child is not None
    first, second = (read_adapter(attempt.adapter(parent)) for parent in stage.child.parents)
    record, start = attempt.trainer.work / f"{name}-search.json", attempt.trainer.work / f"{name}-start"
    if ranks.first and not record.is_file():
        search = _search(attempt, name)
        write_adapter(blend(first, second, search.shares), start)
        save_search(record, search)
    ranks.wait()
    search = load_search(record)
    attempt.log(f"{name}: shares {search.shares} of {stage.child.parents[0]} a layer, loss {search.value:.5f}")
    figures: dict[str, Any] = {"shares": list(search.shares), "trials": len(search.trials)}
    if stage.child.steps:
        length = stage.length.model_copy(update={"max_steps": stage.child.steps})
        model = old_adapter(attempt.base.model, start)
        figures |= fit(attempt, name, model, list(stage.child.parents), attempt.seed(CHILD), length)
    elif ranks.first:
        shutil.copytree(start, attempt.adapter(name), dirs_exist_ok=True)
    return figures | (_judge_child(attempt, name) if ranks.first else {})


def _search(attempt: Attempt, name: str) -> Search:
    """Shares that make the loss on the parents' slices small, on the half to decide on."""
    stage, held = attempt.stage, attempt.held
    assert stage.child is not None
    parents = [read_adapter(attempt.adapter(parent)) for parent in stage.child.parents]
    slices = [EXPERTS.index(parent) for parent in stage.child.parents]
    mine = held.of_slices(held.tune, slices)
    owners = np.unique(held.answers.row[held.answers.of(held.tune)][mine])
    rows = sample_rows(owners if len(owners) else held.tune, stage.child.rows, attempt.config.seed)
    chosen = held.of_slices(rows, slices) if len(owners) else slice(None)

    def value(shares: Any) -> float:
        scores = held.score(attempt.base.model, blend(parents[0], parents[1], shares), rows).only(chosen)
        return scores.figures()["loss"]

    return search_shares(value, parents[0].layers, stage.child.values, stage.child.rounds)


def _judge_child(attempt: Attempt, name: str) -> dict[str, Any]:
    stage, held = attempt.stage, attempt.held
    assert stage.child is not None
    chosen = held.of_slices(held.test, [EXPERTS.index(parent) for parent in stage.child.parents])
    group = held.groups(held.test)[chosen]

    def score(which: str) -> Scores:
        return held.score(attempt.base.model, read_adapter(attempt.adapter(which)), held.test).only(chosen)

    child = score(name)
    tests = {parent: compare(child, score(parent), group, attempt.config.seed) for parent in stage.child.parents}
    kept = promoted(list(tests.values()), stage.child.p)
    for parent, test in tests.items():
        attempt.log(f"{name}: {test.wins} calls better and {test.losses} worse than {parent}, p = {test.p:.3f}")
    attempt.log(f"{name}: {'promoted' if kept else 'rejected'}")
    return {"promoted": kept, **{f"against_{parent}": test.as_json() for parent, test in tests.items()}}
