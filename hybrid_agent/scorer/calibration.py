"""From energies to probabilities, and the line below which a call is vetoed. One curve a domain, stored as knots."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hybrid_agent.traces.contexts import Domain
from hybrid_agent.types import Record

LEAST, MOST = 0.001, 0.999  # no call is certain


class Head(Record):
    """Calibration of one domain's head.

    `energies` rise and `passes` fall: the probability to pass at an energy is interpolated between these knots. A
    call whose probability is below `threshold` is vetoed (0: none is). `count` candidates were fitted.
    """

    energies: tuple[float, ...] = Field(min_length=1)
    passes: tuple[float, ...] = Field(min_length=1)
    threshold: float = Field(default=0.0, ge=0, le=1)
    count: int = 0

    @model_validator(mode="after")
    def _monotone(self) -> Self:
        if len(self.energies) != len(self.passes):
            raise ValueError("as many energies as passes")
        if list(self.energies) != sorted(self.energies) or list(self.passes) != sorted(self.passes, reverse=True):
            raise ValueError("energies must rise and passes must fall")
        return self

    def probabilities(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability to pass at each energy, within 0.001..0.999."""
        return np.clip(np.interp(energies, self.energies, self.passes), LEAST, MOST)


class Calibration(Record):
    """calibration.json."""

    format: Literal[1] = 1
    heads: dict[Domain, Head]


def fit_head(energies: NDArray[np.float64], passed: NDArray[np.bool_]) -> Head:
    """Isotonic regression of passing on energy, centred: blocks become points at their mean energy, so that the
    curve between them is strictly monotone (Oron & Flournoy 2017). Needs scikit-learn.

    Args:
        energies: (n,), n >= 1.
        passed: bool (n,).
    """
    from sklearn.isotonic import IsotonicRegression  # type: ignore[import-untyped]  # only where models are trained

    order = np.argsort(energies, kind="stable")
    x, y = energies[order], passed[order].astype(np.float64)
    fitted = IsotonicRegression(increasing=False, y_min=0.0, y_max=1.0).fit(x, y).predict(x)
    edges = np.flatnonzero(np.diff(fitted)) + 1
    blocks = np.split(np.arange(len(x)), edges)
    # A block of n calls that all pass (or fail) says "at most about 1 in n + 2", not "never".
    knots = [(float(x[b].mean()), float(np.clip(fitted[b[0]], 1 / (len(b) + 2), 1 - 1 / (len(b) + 2)))) for b in blocks]
    passes = np.minimum.accumulate([p for _, p in knots])
    return Head(energies=tuple(e for e, _ in knots), passes=tuple(passes.tolist()), count=len(x))


def veto_threshold(p: NDArray[np.float64], passed: NDArray[np.bool_], most: float, cap: float = 0.5) -> float:
    """The largest threshold that vetoes at most a share `most` of passing calls, with 90 % confidence.

    Args:
        p: calibrated probabilities (n,) of candidates that calibration has not seen.
        passed: bool (n,).
        most: e.g. 0.01.
        cap: never above this.

    Returns:
        0 where there are too few passing calls to tell.
    """
    good = np.sort(p[passed])
    allowed = -1
    while allowed + 1 < len(good) and upper_bound(allowed + 1, len(good)) <= most:
        allowed += 1
    # Calls with p below the threshold are vetoed: good[allowed] is the first that must not be.
    return float(min(cap, good[allowed])) if allowed >= 0 else 0.0


def upper_bound(hits: int, count: int, z: float = 1.2816) -> float:
    """The upper end of Wilson's interval for a share (default: one-sided 90 %)."""
    if count == 0:
        return 1.0
    share = hits / count
    root = z * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    return (share + z * z / (2 * count) + root) / (1 + z * z / count)
