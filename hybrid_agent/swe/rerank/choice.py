"""Choosing one patch of each pool, and how much of the gap between chance and oracle that recovers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.swe.rerank.features import NAMES

Floats = NDArray[np.float64]
RESAMPLES, EDGES = 2000, (0.025, 0.975)


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval over instances."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {"value": self.value, "interval": [self.low, self.high]}

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True)
class Gains:
    """Shares of instances that each way of choosing resolves; `recovered` is (ours - random) / (oracle - random)."""

    instances: int
    candidates: int
    shares: Mapping[str, Figure]
    recovered: Figure | None
    brier: float | None
    ece: float | None

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "instances": self.instances,
            "candidates": self.candidates,
            "shares": {name: figure.as_json() for name, figure in self.shares.items()},
            "recovered": self.recovered.as_json() if self.recovered else None,
            "brier": self.brier,
            "ece": self.ece,
        }


def best(energies: Floats) -> int:
    """The candidate of least energy; among equals the first."""
    return int(np.argmin(np.round(energies, 9)))


def gains(
    features: Sequence[Floats],
    energies: Sequence[Floats],
    probabilities: Sequence[Floats],
    labels: Sequence[NDArray[np.bool_]],
    seed: int = 0,
) -> Gains:
    """Compare ways of choosing over labelled pools.

    Args:
        features: [K, len(NAMES)] of each pool.
        energies: [K] of each pool.
        probabilities: [K] of each pool.
        labels: [K] of each pool.
        seed: of the resampling.
    """
    ways: dict[str, Callable[[int], float]] = {
        "random": lambda n: float(labels[n].mean()),
        "first file": lambda n: float(labels[n][0]),
        "most agreed": lambda n: float(labels[n][int(np.argmax(_column(features[n], "same", "likeness")))]),
        "shortest": lambda n: float(labels[n][int(np.argmin(_length(features[n])))]),
        "energy": lambda n: float(labels[n][best(energies[n])]),
        "oracle": lambda n: float(labels[n].any()),
    }
    table = np.array([[way(n) for way in ways.values()] for n in range(len(labels))]).reshape(-1, len(ways))
    if not len(table):
        return Gains(0, 0, {}, None, None, None)
    rng = np.random.default_rng(seed)
    drawn = np.array([table[rng.integers(len(table), size=len(table))].mean(axis=0) for _ in range(RESAMPLES)])
    names = list(ways)
    shares = {name: Figure(float(table[:, at].mean()), *_edges(drawn[:, at])) for at, name in enumerate(names)}
    at = {name: number for number, name in enumerate(names)}
    means = table.mean(axis=0)
    gap = float(means[at["oracle"]] - means[at["random"]])
    recovered = None
    if gap > 1e-12:
        gaps = drawn[:, at["oracle"]] - drawn[:, at["random"]]
        usable = gaps > 1e-12
        shares_drawn = (drawn[usable, at["energy"]] - drawn[usable, at["random"]]) / gaps[usable]
        value = float(means[at["energy"]] - means[at["random"]]) / gap
        recovered = Figure(value, *_edges(shares_drawn))
    p, y = np.concatenate(list(probabilities)), np.concatenate(list(labels)).astype(np.float64)
    return Gains(len(table), len(y), shares, recovered, float(((p - y) ** 2).mean()), _ece(p, y))


def _column(features: Floats, *names: str) -> Floats:
    found: Floats = np.zeros(len(features))
    for weight, name in zip((1.0, 0.5), names, strict=False):
        found = found + weight * features[:, NAMES.index(name)]
    return found


def _length(features: Floats) -> Floats:
    """Changed lines; an empty patch is not short but none."""
    empty = features[:, NAMES.index("empty")] > 0
    return np.where(empty, np.inf, features[:, NAMES.index("lines")])


def _ece(p: Floats, y: Floats, bins: int = 10) -> float:
    """Expected calibration error over bins of equal numbers, ten or more in each."""
    parts = np.array_split(np.argsort(p, kind="stable"), max(1, min(bins, len(p) // 10)))
    return float(sum(len(part) * abs(p[part].mean() - y[part].mean()) for part in parts) / len(p))


def _edges(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, EDGES)
    return float(low), float(high)
