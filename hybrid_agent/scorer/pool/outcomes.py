"""What running the candidates says about each of them.

CodeT (Chen et al. 2022, "CodeT: Code Generation with Generated Tests"): candidates that pass the same set of tests
form a consensus set; its score is |tests passed| * sqrt(|candidates in it|), as in the authors' program (the paper's
formula has no root). Output agreement is the measure of execution-based minimum Bayes risk (Shi et al. 2022, "Natural
Language to Code Translation with Execution").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.scorer.pool.execute import Ran

Floats = NDArray[np.float64]


def codet(ran: Sequence[Ran], *, root: bool = True) -> Floats:
    """CodeT's score of each candidate; 0 where no test is passed."""
    sets = [frozenset(i for i, letter in enumerate(r.tests) if letter == "p") for r in ran]
    sizes = Counter(sets)
    return np.array([len(s) * (np.sqrt(sizes[s]) if root else sizes[s]) for s in sets], dtype=np.float64)


def output_kernel(ran: Sequence[Ran], calls: int) -> Floats:
    """Share of the calls on which two candidates return equal values, shape (n, n), 1 on the diagonal.

    A call that ends in an error or out of time is like no other.
    """
    n = len(ran)
    if calls == 0:
        return np.eye(n)
    numbers: dict[str, int] = {}
    values = np.zeros((n, calls), dtype=np.int64)
    for i, r in enumerate(ran):
        for j in range(calls):
            value = r.calls[j] if r.load == "p" and j < len(r.calls) else "-"
            values[i, j] = numbers.setdefault(value, len(numbers)) if value[0] in "vn" else -1 - i
    equal = np.stack([(values == row).mean(axis=1) for row in values])
    return np.asarray(np.maximum(equal, np.eye(n)), dtype=np.float64)
