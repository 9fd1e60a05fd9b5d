"""The energy of a patch, its fit, and the probability that it resolves its instance.

E(x) = -w . f(x); lower is better. w minimises the mean pairwise logistic loss over resolving and failing candidates of
one instance, with a quadratic pull towards starting weights whose signs are known; so that a few labels change little.
p(x) = sigmoid(a - b E(x)), b > 0, fitted on energies of instances that were held out (Platt's method).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.swe.rerank.features import NAMES

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]

PRIOR = {
    "empty": -4.0,
    "malformed": -3.0,
    "applies": 2.0,
    "parses": 1.5,
    "no_code": -3.0,
    "touches_tests": -1.0,
    "lines": -0.15,
    "files": -0.3,
    "debris": -0.5,
    "same": 1.0,
    "likeness": 1.0,
    "same_files": 0.5,
    "statement": 1.0,
    "names_file": 0.3,
    "names_symbol": 0.5,
    "broken": -0.7,
    "clean": 1.0,
    "fixed": 2.0,
}
SIGNED = frozenset({"empty", "malformed", "applies", "parses", "no_code", "broken", "clean", "fixed"})
PULL, STEPS = 0.2, 400


@dataclass(frozen=True)
class PatchEnergy:
    """Weights in the order of NAMES, and the line through which an energy becomes a probability.

    `tested` is the line (offset, slope) for pools whose tests were run, which says much more; None: the same line.
    """

    weights: tuple[float, ...]
    offset: float
    slope: float
    fitted_on: str = ""
    tested: tuple[float, float] | None = None

    def energies(self, features: Floats) -> Floats:
        """Energy of each row; lower is better."""
        found: Floats = -(features @ np.array(self.weights))
        return found

    def probabilities(self, features: Floats) -> Floats:
        """Calibrated probability that each row resolves its instance; the rows are one pool."""
        line = self.tested if self.tested is not None and was_tested(features) else (self.offset, self.slope)
        return _sigmoid(line[0] - line[1] * self.energies(features))


def was_tested(features: Floats) -> bool:
    """True for a pool in which tests were run with some candidate."""
    return bool((features[:, NAMES.index("clean")] != 0).any())


Pool = tuple[Floats, Labels, Hashable]  # features [K, F], labels [K], group that is held out together


def prior_energy() -> PatchEnergy:
    """The starting weights."""
    return PatchEnergy(tuple(PRIOR.get(name, 0.0) for name in NAMES), -1.0, 1.0, "nothing: starting weights")


def fit(pools: Sequence[Pool], fitted_on: str = "", folds: int = 5) -> PatchEnergy:
    """Weights from all pools; the probability from energies of groups that were held out.

    Args:
        pools: labelled candidates; pools in which all labels are equal still serve the probability.
        fitted_on: a line on where they come from.
        folds: groups are dealt out to this many.
    """
    weights = _weights(pools)
    held = held_out_energies(pools, folds)
    lines: dict[bool, tuple[float, float]] = {}
    for tested in (False, True):
        chosen = [n for n, (features, _, _) in enumerate(pools) if was_tested(features) == tested]
        if chosen:
            score = np.concatenate([-held[n] for n in chosen])
            offset, slope = _platt(score, np.concatenate([pools[n][1] for n in chosen]))
            lines[tested] = (round(offset, 4), round(slope, 4))
    blind = lines.get(False) or lines.get(True) or (prior_energy().offset, prior_energy().slope)
    return PatchEnergy(tuple(float(round(w, 4)) for w in weights), *blind, fitted_on, lines.get(True))


def held_out_energies(pools: Sequence[Pool], folds: int = 5) -> list[Floats]:
    """Energies of each pool under weights that were fitted without its group."""
    fold = deal(pools, folds)
    found: list[Floats] = [np.zeros(0)] * len(pools)
    for number in sorted(set(fold)):
        weights = _weights([pool for pool, at in zip(pools, fold, strict=True) if at != number])
        for at, (features, _, _) in enumerate(pools):
            if fold[at] == number:
                found[at] = -(features @ weights)
    return found


def held_out_probabilities(pools: Sequence[Pool], folds: int = 5) -> list[Floats]:
    """Probabilities of each pool from weights and a line that were both fitted without its group."""
    fold = deal(pools, folds)
    found: list[Floats] = [np.zeros(0)] * len(pools)
    for number in sorted(set(fold)):
        model = fit([pool for pool, at in zip(pools, fold, strict=True) if at != number], folds=folds)
        for at, (features, _, _) in enumerate(pools):
            if fold[at] == number:
                found[at] = model.probabilities(features)
    return found


def deal(pools: Sequence[Pool], folds: int) -> list[int]:
    """A fold for each pool; a group stays together, the largest are dealt first."""
    sizes: dict[Hashable, int] = {}
    for _, _, group in pools:
        sizes[group] = sizes.get(group, 0) + 1
    load, where = [0] * max(2, min(folds, len(sizes))), {}
    for group in sorted(sizes, key=lambda g: (-sizes[g], str(g))):
        where[group] = load.index(min(load))
        load[where[group]] += sizes[group]
    return [where[group] for _, _, group in pools]


def _weights(pools: Sequence[Pool]) -> Floats:
    start = np.array([PRIOR.get(name, 0.0) for name in NAMES])
    pairs = [features[labels][:, None, :] - features[~labels][None, :, :] for features, labels, _ in pools]
    useful = [pair.reshape(-1, len(NAMES)) for pair in pairs if pair.size]
    if not useful:
        return start
    # Each pool weighs the same, however many candidates it has.
    gaps = np.concatenate(useful)
    share = np.concatenate([np.full(len(pair), 1 / (len(pair) * len(useful))) for pair in useful])
    signs = np.array([np.sign(PRIOR[name]) if name in SIGNED else 0.0 for name in NAMES])
    pull = PULL * max(1.0, 20 / len(useful))
    curvature = (gaps**2 * share[:, None]).sum(axis=0) / 4 + pull
    rate = 1 / (curvature.sum() + pull)
    weights, speed = start.copy(), np.zeros_like(start)
    for _ in range(STEPS):  # Nesterov's method with a step below 1/L, projected on the known signs
        ahead = weights + 0.9 * speed
        slope = -(gaps * (share * _sigmoid(-(gaps @ ahead)))[:, None]).sum(axis=0) + pull * (ahead - start)
        following = ahead - rate * slope
        following = np.where(signs * following < 0, 0.0, following)
        weights, speed = following, following - weights
    return weights


def _platt(score: Floats, labels: Labels) -> tuple[float, float]:
    """Offset and slope (>= 0) of a logistic line through scores, with Platt's softened targets."""
    hits = int(labels.sum())
    if not hits or hits == len(labels):
        return prior_energy().offset, prior_energy().slope
    high, low = (hits + 1) / (hits + 2), 1 / (len(labels) - hits + 2)
    target = np.where(labels, high, low)
    centre, scale = float(score.mean()), float(score.std()) or 1.0
    z = (score - centre) / scale
    a, b = 0.0, 1.0
    for _ in range(100):  # Newton's method on two parameters
        p = _sigmoid(a + b * z)
        weight = p * (1 - p) + 1e-9
        gradient = np.array([(p - target).sum(), ((p - target) * z).sum()])
        h01 = float((weight * z).sum())
        hessian = np.array([[weight.sum(), h01], [h01, (weight * z * z).sum()]]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        a, b = a - float(step[0]), b - float(step[1])
        if float(np.abs(step).max()) < 1e-9:
            break
    b = max(b, 0.0)
    return a - b * centre / scale, b / scale


def _sigmoid(x: Floats) -> Floats:
    positive: Floats = 0.5 * (1 + np.tanh(0.5 * np.asarray(x, dtype=np.float64)))
    return positive
