"""Figures of a ranking: what its first choice is worth, intervals over tasks, discrimination and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
TIE = 1e-9
BINS = 10


@dataclass(frozen=True)
class Estimate:
    """A mean over tasks with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"value": self.value, "interval": [self.low, self.high]}


def top_one(energies: Floats, passed: Bools) -> float:
    """Chance that the candidate of least energy passes; ties are drawn at random, so this is their mean."""
    return float(passed[energies <= energies.min() + TIE].mean())


def half_pool(energies: Floats, passed: Bools) -> float:
    """Chance that the best of a random half of the pool passes: steadier than the first choice of the whole pool."""
    order = np.argsort(energies, kind="stable")
    ordered, good = energies[order], passed[order].astype(float)
    edges = np.flatnonzero(np.diff(ordered) > TIE) + 1
    good = np.concatenate([np.full(len(part), part.mean()) for part in np.split(good, edges)])
    weight = 0.5 ** np.arange(1, len(good) + 1)
    return float(good @ weight / weight.sum())


def estimate(values: Floats, resamples: int, seed: int) -> Estimate:
    """Mean and percentile interval over resampled tasks. The same seed draws the same tasks: differences are paired."""
    rng = np.random.default_rng(seed)
    n = len(values)
    means = np.array([values[rng.integers(n, size=n)].mean() for _ in range(resamples)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high))


def auc(scores: Floats, passed: Bools) -> float | None:
    """Area under the ROC curve; None if all labels are equal."""
    good, bad = int(passed.sum()), int((~passed).sum())
    if good == 0 or bad == 0:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return float((middle[inverse][passed].sum() - good * (good + 1) / 2) / (good * bad))


def within_task_auc(energies: Sequence[Floats], labels: Sequence[Bools]) -> float | None:
    """Mean AUC over tasks with both kinds of candidates."""
    found = [auc(-e, y) for e, y in zip(energies, labels, strict=True)]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None


def reliability(probabilities: Floats, passed: Bools) -> list[tuple[float, float, int]]:
    """(mean probability, share that passes, count) in bins of equal width that hold anything."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    out = []
    for b in range(BINS):
        inside = bins == b
        if inside.any():
            out.append((float(probabilities[inside].mean()), float(passed[inside].mean()), int(inside.sum())))
    return out


def calibration_error(probabilities: Floats, passed: Bools) -> float:
    """Expected calibration error over ten bins of equal width."""
    total = len(probabilities)
    return sum(abs(p - share) * count / total for p, share, count in reliability(probabilities, passed))
