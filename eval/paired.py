"""Two agents on the same tasks: the exact test of the tasks on which they differ, and an interval of the difference.

`gained` and `lost` are the tasks that only the first, only the second agent solved, of `n` done by both.
"""

from __future__ import annotations

import math

from eval.metrics import Z95


def mcnemar_worse(gained: int, lost: int) -> float:
    """P value of the exact one-sided McNemar test that the first agent is worse.

    Under no difference each of the discordant tasks falls to either side with probability 1/2.
    """
    total = gained + lost
    return sum(math.comb(total, k) for k in range(lost, total + 1)) / 2**total


def score_interval(gained: int, lost: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Score interval of the difference of two paired proportions, first minus second (Tango, Statistics in Medicine
    17, 1998, 891-908). Unlike a bootstrap it has a width where no task differs: ±z²/(n + z²).

    Raises:
        ValueError: the counts are not within 0..n.
    """
    if min(gained, lost) < 0 or gained + lost > n:
        raise ValueError(f"{gained} and {lost} of {n} are no counts of pairs")
    if n == 0:
        return -1.0, 1.0
    value = (gained - lost) / n
    return (
        _root(gained, lost, n, z, -1.0, value),
        _root(gained, lost, n, -z, value, 1.0),
    )


def _root(gained: int, lost: int, n: int, z: float, low: float, high: float) -> float:
    """The difference at which the score statistic is z; it falls as the difference grows."""
    for _ in range(80):
        middle = (low + high) / 2
        if _statistic(gained, lost, n, middle) > z:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _statistic(gained: int, lost: int, n: int, difference: float) -> float:
    """(observed - assumed difference) over its standard error, the nuisance proportion by maximum likelihood under
    the assumed difference."""
    a = 2 * n
    b = -gained - lost + (2 * n - gained + lost) * difference
    c = -lost * difference * (1 - difference)
    nuisance = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = n * (2 * nuisance + difference * (1 - difference))
    top = gained - lost - n * difference
    if variance <= 0:
        return math.copysign(math.inf, top) if top else 0.0
    return top / math.sqrt(variance)
