"""All figures of one pool: rules that need no fit, the two energies, their differences and their probabilities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.pool_suite.crossfit import Division, Scored, cross_fit
from eval.pool_suite.figures import auc, calibration_error, estimate, half_pool, reliability, top_one, within_task_auc
from hybrid_agent.config.pool import PoolConfig
from hybrid_agent.scorer.pool.energy import Knobs, PoolEnergy, fit
from hybrid_agent.scorer.pool.records import PoolTask
from hybrid_agent.scorer.pool.view import PoolView

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
PLAIN, FULL, CODET = "EBM without execution", "EBM with execution", "CodeT agreement"
COMPARED = ((PLAIN, "random"), (PLAIN, "medoid"), (FULL, "random"), (FULL, CODET), (PLAIN, CODET), (FULL, PLAIN))


@dataclass(frozen=True)
class Judged:
    """`figures` are for machines and people; `energy` is fitted on all tasks with the knobs chosen most often."""

    figures: dict[str, Any]
    energy: PoolEnergy


def judge(tasks: Sequence[PoolTask], views: Sequence[PoolView], config: PoolConfig) -> Judged:
    """Cross-validate and compare. Labels of a task are used to judge it and to fit models of other folds."""
    labels = [np.array(t.passed, dtype=np.bool_) for t in tasks]
    divisions = [
        cross_fit(views, labels, config.folds, config.seed + r, config.execution) for r in range(config.repeats)
    ]
    rules = _rules(tasks, views, config.execution)
    top = {"random": _each(labels, lambda i: float(labels[i].mean()))}
    half = dict(top)
    for name, energies in rules.items():
        top[name] = _each(labels, lambda i, e=energies: top_one(e[i], labels[i]))
        half[name] = _each(labels, lambda i, e=energies: half_pool(e[i], labels[i]))
    fitted = {PLAIN: [d.looks for d in divisions]}
    if config.execution:
        fitted[FULL] = [d.execution for d in divisions if d.execution is not None]
    for name, runs in fitted.items():
        top[name] = _mean_over(runs, labels, top_one)
        half[name] = _mean_over(runs, labels, half_pool)
    top["oracle"] = half["oracle"] = _each(labels, lambda i: float(labels[i].any()))
    compared = [(a, b) for a, b in COMPARED if a in top and b in top]
    figures = {
        "tasks": len(tasks),
        "candidates": sum(len(t.candidates) for t in tasks),
        "solvable": float(np.mean([y.any() for y in labels])),
        "folds": config.folds,
        "repeats": config.repeats,
        "top_one": {k: estimate(v, config.resamples, config.seed).as_json() for k, v in top.items()},
        "half_pool": {k: estimate(v, config.resamples, config.seed).as_json() for k, v in half.items()},
        "differences": [
            {"of": a, "over": b, **estimate(top[a] - top[b], config.resamples, config.seed).as_json()}
            for a, b in compared
        ],
        "probability": {name: _probability(runs, labels) for name, runs in fitted.items()},
        "rule_auc": {name: within_task_auc(energies, labels) for name, energies in rules.items()},
        "knobs": [asdict(k) for d in divisions for k in d.knobs],
    }
    return Judged(figures, fit(views, labels, _usual(divisions), config.seed))


def _rules(tasks: Sequence[PoolTask], views: Sequence[PoolView], execution: bool) -> dict[str, list[Floats]]:
    """Energies that need no fit."""
    out = {
        "shortest": [np.array([float(len(c.strip())) for c in t.candidates]) for t in tasks],
        "most common": [-v.raw["same_form"] for v in views],
        "medoid": [-v.raw["shape_medoid"] for v in views],
    }
    if execution:
        out[CODET] = [-v.executed.codet for v in views if v.executed is not None]
    return out


def _each(labels: Sequence[Bools], value: Any) -> Floats:
    return np.array([value(i) for i in range(len(labels))], dtype=np.float64)


def _mean_over(runs: Sequence[Scored], labels: Sequence[Bools], value: Any) -> Floats:
    """A task's figure, as the mean over the repeats."""
    return np.mean([_each(labels, lambda i, r=run: value(r.energies[i], labels[i])) for run in runs], axis=0)


def _probability(runs: Sequence[Scored], labels: Sequence[Bools]) -> dict[str, Any]:
    """Discrimination and calibration over all candidates of all tasks; the reliability is that of the first repeat."""
    passed = np.concatenate(list(labels))
    flat = [np.concatenate(run.probabilities) for run in runs]
    areas = [area for p in flat if (area := auc(p, passed)) is not None]
    within = [area for run in runs if (area := within_task_auc(run.energies, labels)) is not None]
    return {
        "auc": float(np.mean(areas)) if areas else None,
        "auc_within_tasks": float(np.mean(within)) if within else None,
        "ece": float(np.mean([calibration_error(p, passed) for p in flat])),
        "reliability": reliability(flat[0], passed),
    }


def _usual(divisions: Sequence[Division]) -> Knobs:
    counts = Counter(k for d in divisions for k in d.knobs)
    return counts.most_common(1)[0][0]
