"""The energy of a candidate within its pool: learned from how programs look, spread over programs that behave alike.

Without execution   E(x) = -s(x),  s = w . f standardised in the pool; w minimises the pairwise logistic loss
                    log(1 + exp(s(bad) - s(good))) over pairs of one task, plus (strength / tasks) |w - start|^2 / 2,
                    with the sign of a weight held where it is known beforehand.
With execution      E(x) = -[ s(x) / 2 + z(log sum_y K(x, y)^4 exp(1.5 s(y))) / 2 + b z(log(1 + CodeT(x))) ]

z standardises within the pool; K is the share of inputs on which two programs agree. The sum is the mass that s
gives to the programs behaving like x, so a candidate is believed as far as its whole behaviour class is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.errors import InputError
from hybrid_agent.scorer.pool.priors import BAD, GOOD, NAMES, START
from hybrid_agent.scorer.pool.view import PoolView

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
POWER, HEAT = 4.0, 1.5
PAIRS = 120
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Knobs:
    """`strength`: pull of the starting weights, in tasks; `consensus`: weight b of CodeT's score."""

    strength: float = 1.0
    consensus: float = 0.2


@dataclass(frozen=True, slots=True)
class PoolEnergy:
    """A fitted energy. `weights` are in the order of `priors.NAMES`."""

    weights: tuple[float, ...]
    knobs: Knobs

    def energies(self, view: PoolView, *, execution: bool) -> Floats:
        """Energy of each candidate, lower is better, shape (n,).

        Raises:
            ValueError: execution is asked for and the view holds none.
        """
        return combine(self.looks(view), view, self.knobs.consensus if execution else None)

    def looks(self, view: PoolView) -> Floats:
        """s(x), standardised within the pool, shape (n,)."""
        return standardised(view.ranks @ np.array(self.weights))

    def as_json(self) -> dict[str, Any]:
        """For storage."""
        return {"format": FORMAT, "weights": dict(zip(NAMES, self.weights, strict=True)), "knobs": asdict(self.knobs)}

    @staticmethod
    def from_json(record: dict[str, Any]) -> PoolEnergy:
        """Read what `as_json` wrote.

        Raises:
            InputError: another format or other figures.
        """
        weights = record.get("weights", {})
        if record.get("format") != FORMAT or set(weights) != set(NAMES):
            raise InputError("not a pool energy of this version", field="weights", fix="fit it again")
        return PoolEnergy(tuple(float(weights[name]) for name in NAMES), Knobs(**record["knobs"]))


def fit(views: Sequence[PoolView], labels: Sequence[Bools], knobs: Knobs | None = None, seed: int = 0) -> PoolEnergy:
    """Fit the weights; tasks without both a passing and a failing candidate say nothing.

    Args:
        views: one a task.
        labels: which candidates pass, one array (n,) a task.
        knobs: how strong the prior is.
        seed: of the pairs drawn, `PAIRS` a task.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # only where energies are fitted

    knobs = knobs or Knobs()
    start = np.array([START.get(name, 0.0) for name in NAMES])
    rng = np.random.default_rng(seed)
    blocks = []
    for view, passed in zip(views, labels, strict=True):
        good, bad = view.ranks[passed], view.ranks[~passed]
        if len(good) and len(bad):
            blocks.append(good[rng.integers(len(good), size=PAIRS)] - bad[rng.integers(len(bad), size=PAIRS)])
    if not blocks:
        return PoolEnergy(tuple(start.tolist()), knobs)
    gaps = np.concatenate(blocks)
    pull = knobs.strength / len(blocks)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = gaps @ weights
        away = weights - start
        value = float(np.logaddexp(0, -margin).mean() + pull / 2 * (away @ away))
        slope = -(gaps.T @ (0.5 - 0.5 * np.tanh(margin / 2))) / len(gaps) + pull * away
        return value, slope

    bounds = [(0, None) if n in GOOD else (None, 0) if n in BAD else (None, None) for n in NAMES]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    return PoolEnergy(tuple(np.asarray(found.x).tolist()), knobs)


def combine(looks: Floats, view: PoolView, consensus: float | None) -> Floats:
    """Energies from s(x); with `consensus` (b above) those with execution.

    Raises:
        ValueError: execution is asked for and the view holds none.
    """
    if consensus is None:
        return -looks
    if view.executed is None:
        raise ValueError("the candidates were not run")
    mass = np.log(view.executed.kernel**POWER @ np.exp(HEAT * looks))
    return -(looks + standardised(mass)) / 2 - consensus * standardised(view.executed.codet)


def standardised(values: Floats) -> Floats:
    """Mean 0 and deviation 1; zeros where all are equal."""
    deviation = float(values.std())
    return (values - values.mean()) / deviation if deviation > 1e-9 else np.zeros_like(values)
