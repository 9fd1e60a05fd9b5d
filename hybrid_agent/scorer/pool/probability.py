"""From an energy to the probability that a candidate passes: a logistic curve over it and facts about its pool.

An energy compares candidates of one task; how hard the task is has to come from figures that mean the same in
every task: how alike the candidates are, how many behave alike, what share of the generated tests they pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.scorer.pool.view import PoolView

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
STRENGTH = 0.1


@dataclass(frozen=True, slots=True)
class PassProbability:
    """`weights` (d,) and `bias` act on inputs that were centred by `centre` and divided by `scale`."""

    weights: Floats
    bias: float
    centre: Floats
    scale: Floats

    def of(self, energies: Floats, view: PoolView) -> Floats:
        """Probability of each candidate, shape (n,)."""
        inputs = (_inputs(energies, view) - self.centre) / self.scale
        return np.asarray(0.5 + 0.5 * np.tanh((inputs @ self.weights + self.bias) / 2), dtype=np.float64)


def fit_probability(energies: Sequence[Floats], views: Sequence[PoolView], labels: Sequence[Bools]) -> PassProbability:
    """Fit on energies that were made by a model which did not see these tasks."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # only where it is fitted

    inputs = np.concatenate([_inputs(e, v) for e, v in zip(energies, views, strict=True)])
    passed = np.concatenate(list(labels))
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    if passed.all() or not passed.any():
        share = (passed.sum() + 0.5) / (len(passed) + 1)
        return PassProbability(np.zeros(inputs.shape[1]), float(np.log(share / (1 - share))), centre, scale)
    model = LogisticRegression(C=STRENGTH, max_iter=1000).fit((inputs - centre) / scale, passed)
    return PassProbability(model.coef_[0], float(model.intercept_[0]), centre, scale)


def _inputs(energies: Floats, view: PoolView) -> Floats:
    parts = [energies[:, None], view.facts]
    if view.executed is not None:
        parts.append(view.executed.facts)
    return np.concatenate(parts, axis=1)
