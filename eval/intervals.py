"""Intervals over tasks: several seeds of a task are one observation, and differences are paired by task and seed.

All are 95 % percentile intervals of a bootstrap that draws whole tasks (a cluster bootstrap). Shares of tasks run once
have Wilson intervals instead: eval.metrics.Rate.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.metrics import wilson

Floats = NDArray[np.float64]
Cells = Mapping[tuple[Hashable, int], float]  # (task, seed) -> figure
RESAMPLES = 4000
EDGES = (0.025, 0.975)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, from `n` tasks."""

    value: float
    low: float
    high: float
    n: int

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"value": self.value, "interval": [self.low, self.high], "tasks": self.n}


def by_task(cells: Cells) -> dict[Hashable, float]:
    """The mean of each task over its seeds."""
    found: dict[Hashable, list[float]] = {}
    for (task, _), value in cells.items():
        found.setdefault(task, []).append(value)
    return {task: sum(values) / len(values) for task, values in found.items()}


def mean(cells: Cells, resamples: int = RESAMPLES, seed: int = 0, *, share: bool = False) -> Estimate:
    """The mean over tasks.

    Args:
        cells: the figure of each task and seed.
        resamples: of the bootstrap.
        seed: of its draws; the same seed and the same number of tasks draw the same tasks.
        share: the figure is a proportion. Where every task says the same, a bootstrap has no width; the interval is
            then Wilson's over tasks.
    """
    values = np.array(list(by_task(cells).values()), dtype=np.float64)
    if not len(values):
        return Estimate(0.0, 0.0, 1.0 if share else 0.0, 0)
    low, high = _edges(values, resamples, seed)
    if share and low == high and float(values[0]) in (0.0, 1.0):
        low, high = wilson(round(float(values.sum())), len(values))
    return Estimate(float(values.mean()), low, high, len(values))


def difference(ours: Cells, other: Cells, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Ours minus the other's, over the tasks and seeds that both have."""
    both = {key: value - other[key] for key, value in ours.items() if key in other}
    return mean(both, resamples, seed)


def ratio(ours: Cells, other: Cells, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Mean of ours over mean of the other's, over the tasks and seeds that both have."""
    keys = [key for key in ours if key in other]
    first, second = (by_task({key: cells[key] for key in keys}) for cells in (ours, other))
    pairs = np.array([[first[task], second[task]] for task in first], dtype=np.float64).reshape(-1, 2)
    if not len(pairs) or not pairs[:, 1].sum():
        return Estimate(float("nan"), float("nan"), float("nan"), len(pairs))

    def of(drawn: Floats) -> float:
        sums = drawn.sum(axis=0)
        return float(sums[0] / sums[1]) if sums[1] else float("nan")

    rng = np.random.default_rng(seed)
    drawn = [of(pairs[rng.integers(len(pairs), size=len(pairs))]) for _ in range(resamples)]
    low, high = np.nanquantile(drawn, EDGES)
    return Estimate(of(pairs), float(low), float(high), len(pairs))


def quantile(values: Mapping[Hashable, Sequence[float]], q: float, resamples: int = 400, seed: int = 0) -> Estimate:
    """The q-quantile (0..1) of all values together (the smallest value with at least a share q at or below it).

    Args:
        values: those of each task; a task is drawn with all that it has.
    """
    value, drawn, tasks = _quantiles(list(values.values()), q, resamples, seed)
    return Estimate(value, *_ends(drawn), tasks)


def quantile_difference(
    ours: Mapping[Hashable, Sequence[float]],
    other: Mapping[Hashable, Sequence[float]],
    q: float,
    resamples: int = 400,
    seed: int = 0,
) -> Estimate:
    """Our q-quantile minus the other's, over the tasks that both have; both are drawn with the same tasks."""
    shared = [task for task in ours if len(ours[task]) and len(other.get(task, ()))]
    first, drawn, tasks = _quantiles([ours[task] for task in shared], q, resamples, seed)
    second, others, _ = _quantiles([other[task] for task in shared], q, resamples, seed)
    return Estimate(first - second, *_ends(drawn - others), tasks)


def _quantiles(values: Sequence[Sequence[float]], q: float, resamples: int, seed: int) -> tuple[float, Floats, int]:
    """The quantile, that of each resample, and the number of tasks."""
    tasks = [np.asarray(each, dtype=np.float64) for each in values if len(each)]
    if not tasks:
        return 0.0, np.zeros(1), 0
    flat = np.concatenate(tasks)
    owner = np.repeat(np.arange(len(tasks)), [len(each) for each in tasks])
    order = np.argsort(flat, kind="stable")
    flat, owner = flat[order], owner[order]

    def of(counts: NDArray[np.int64]) -> float:
        weight = np.cumsum(counts[owner])
        return float(flat[min(int(np.searchsorted(weight, q * weight[-1])), len(flat) - 1)])

    rng = np.random.default_rng(seed)
    draws = (rng.integers(len(tasks), size=len(tasks)) for _ in range(resamples))
    drawn = np.array([of(np.bincount(draw, minlength=len(tasks))) for draw in draws])
    return of(np.ones(len(tasks), dtype=np.int64)), drawn, len(tasks)


def _ends(drawn: Floats) -> tuple[float, float]:
    low, high = np.quantile(drawn, EDGES)
    return float(low), float(high)


def _edges(values: Floats, resamples: int, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    return _ends(np.array([values[rng.integers(len(values), size=len(values))].mean() for _ in range(resamples)]))
