"""Cross-validation by task: every energy comes from a fit that never saw the task's labels.

Within the training tasks of a fold, an inner cross-validation chooses the knobs and gives the energies that the
probability is fitted on. A knob leaves its default only where the gain is larger than its own standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.pool_suite.figures import half_pool
from hybrid_agent.scorer.pool.energy import Knobs, PoolEnergy, combine, fit
from hybrid_agent.scorer.pool.probability import fit_probability
from hybrid_agent.scorer.pool.view import PoolView

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
STRENGTHS = (0.5, 1.0, 2.0)
CONSENSUS = (0.1, 0.2, 0.5, 1.0)
INNER = 4


@dataclass(frozen=True)
class Scored:
    """Energies and pass probabilities of every task's candidates, each from a fit without that task."""

    energies: list[Floats]
    probabilities: list[Floats]


@dataclass(frozen=True)
class Division:
    """One division into folds: results without and with execution, and the knobs each fold chose."""

    looks: Scored
    execution: Scored | None
    knobs: list[Knobs]


def cross_fit(views: Sequence[PoolView], labels: Sequence[Bools], folds: int, seed: int, execution: bool) -> Division:
    """Score every task by a model of the other folds."""
    n = len(views)
    empty = [np.zeros(0)] * n
    looks, ran = Scored(list(empty), list(empty)), Scored(list(empty), list(empty))
    chosen = []
    for fold in divide(n, min(folds, n), seed):
        held = set(fold)
        train = [i for i in range(n) if i not in held]
        model, inner = _tune([views[i] for i in train], [labels[i] for i in train], seed, execution)
        chosen.append(model.knobs)
        for scored, consensus in ((looks, None), *(((ran, model.knobs.consensus),) if execution else ())):
            bare = [views[i] if consensus is not None else _bare(views[i]) for i in range(n)]
            known = [combine(s, bare[i], consensus) for s, i in zip(inner, train, strict=True)]
            curve = fit_probability(known, [bare[i] for i in train], [labels[i] for i in train])
            for i in fold:
                scored.energies[i] = combine(model.looks(views[i]), bare[i], consensus)
                scored.probabilities[i] = curve.of(scored.energies[i], bare[i])
    return Division(looks, ran if execution else None, chosen)


def divide(n: int, folds: int, seed: int) -> list[list[int]]:
    """A division of 0..n-1 into folds of nearly equal size, the same for the same seed."""
    order = np.random.default_rng(seed).permutation(n)
    return [sorted(order[k::folds].tolist()) for k in range(folds)]


def _tune(
    views: Sequence[PoolView], labels: Sequence[Bools], seed: int, execution: bool
) -> tuple[PoolEnergy, list[Floats]]:
    """The fit with the chosen knobs, and s(x) of each training task from fits that did not see it."""
    default = Knobs()
    held = {strength: _inner(views, labels, strength, seed) for strength in STRENGTHS}
    values = {k: _values(s, views, labels, None) for k, s in held.items()}
    strength = _better(values, default.strength)
    consensus = default.consensus
    if execution:
        ran = {b: _values(held[strength], views, labels, b) for b in CONSENSUS}
        consensus = _better(ran, default.consensus)
    return fit(views, labels, Knobs(strength, consensus), seed), held[strength]


def _inner(views: Sequence[PoolView], labels: Sequence[Bools], strength: float, seed: int) -> list[Floats]:
    n = len(views)
    out = [np.zeros(0)] * n
    for fold in divide(n, min(INNER, n), seed + 1000):
        held = set(fold)
        train = [i for i in range(n) if i not in held]
        model = fit([views[i] for i in train], [labels[i] for i in train], Knobs(strength), seed)
        for i in fold:
            out[i] = model.looks(views[i])
    return out


def _values(
    looks: Sequence[Floats], views: Sequence[PoolView], labels: Sequence[Bools], consensus: float | None
) -> Floats:
    pairs = zip(looks, views, labels, strict=True)
    return np.array([half_pool(combine(s, view, consensus), passed) for s, view, passed in pairs])


def _better(values: dict[float, Floats], default: float) -> float:
    """The key whose gain over the default, less its standard error, is largest; the default if none gains."""
    best, most = default, 0.0
    for key, found in values.items():
        gain = found - values[default]
        sure = float(gain.mean() - gain.std() / np.sqrt(len(gain)))
        if sure > most:
            best, most = key, sure
    return best


def _bare(view: PoolView) -> PoolView:
    return PoolView(view.ranks, view.raw, view.facts, None)
