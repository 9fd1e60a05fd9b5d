"""A pool as numbers: ranks of every figure within the pool, and what execution adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.scorer.pool.agreement import agreement_features
from hybrid_agent.scorer.pool.execute import Ran
from hybrid_agent.scorer.pool.outcomes import codet, output_kernel
from hybrid_agent.scorer.pool.priors import NAMES
from hybrid_agent.scorer.pool.probes import Probes
from hybrid_agent.scorer.pool.records import PoolTask
from hybrid_agent.scorer.pool.static import static_features

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Executed:
    """What running adds: `kernel` (n, n) of `outcomes.output_kernel`, `codet` (n,), `facts` (n, 3) for calibration."""

    kernel: Floats
    codet: Floats
    facts: Floats


@dataclass(frozen=True, slots=True)
class PoolView:
    """One task's candidates. `ranks` (n, len(NAMES)) in -1..1; `facts` (n, 4) are comparable across tasks."""

    ranks: Floats
    raw: dict[str, Floats]
    facts: Floats
    executed: Executed | None


def make_view(task: PoolTask, ran: Sequence[Ran] | None = None, probes: Probes | None = None) -> PoolView:
    """Measure a task's candidates; with `ran` and `probes` also what running them showed. Labels are not read."""
    rows = [a | b for a, b in zip(static_features(task), agreement_features(task), strict=True)]
    raw = {name: np.array([row.get(name, 0.0) for row in rows]) for name in NAMES}
    ranks = np.stack([centred_ranks(raw[name]) for name in NAMES], axis=1)
    similar = raw["shape_medoid"]
    pool_wide = [np.full(len(rows), value) for value in (similar.mean(), similar.max())]
    facts = np.stack([similar, raw["same_form"], *pool_wide], axis=1)
    return PoolView(ranks, raw, facts, _executed(ran, probes) if ran is not None and probes is not None else None)


def centred_ranks(values: Floats) -> Floats:
    """Ranks within the pool, -1 lowest to 1 highest, equal values sharing the middle of theirs; shape kept."""
    _, inverse, counts = np.unique(np.round(values, 12), return_inverse=True, return_counts=True)
    upto = np.cumsum(counts)
    middle = upto - counts / 2
    return np.asarray(2 * middle[inverse] / len(values) - 1, dtype=np.float64)


def _executed(ran: Sequence[Ran], probes: Probes) -> Executed:
    kernel, scores = output_kernel(ran, len(probes.calls)), codet(ran)
    passed = np.array([r.tests.count("p") / max(1, len(probes.tests)) for r in ran])
    agree = kernel.mean(axis=1)
    facts = np.stack([passed, agree, np.full(len(ran), agree.max())], axis=1)
    return Executed(kernel, np.log1p(scores), facts)
