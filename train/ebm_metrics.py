"""How well energies tell passing from failing candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.traces.domains import DOMAINS
from train.ebm_data import STRATA

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
BINS = 15
RESAMPLES = 200


@dataclass(frozen=True)
class Judged:
    """C candidates with what was said of them. `scores` (method -> (C,), larger is better); `p` calibrated; `owner`
    numbers the contexts; `vetoed` by the thresholds; `written` by the decoder."""

    scores: Mapping[str, Floats]
    p: Floats
    vetoed: Flags
    passed: Flags
    domain: NDArray[np.int8]
    stratum: NDArray[np.int8]
    owner: NDArray[np.int64]
    written: Flags


def auc(scores: Floats, passed: Flags) -> float | None:
    """Area under the ROC curve by ranks (ties count half); None without both kinds."""
    good = int(passed.sum())
    bad = len(passed) - good
    if not good or not bad:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[passed].sum() - good * (good + 1) / 2) / (good * bad))


def average_precision(scores: Floats, passed: Flags) -> float | None:
    """Mean precision at each passing candidate, best first (candidates of equal score at once)."""
    if not passed.any():
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(passed[order])
    last = np.append(np.diff(scores[order]) != 0, True)  # the end of each run of equal scores
    found, seen = hits[last], np.flatnonzero(last) + 1
    gained = np.diff(np.concatenate([[0], found]))
    return float((gained * found / seen).sum() / passed.sum())


def bins(p: Floats, passed: Flags, count: int = BINS) -> list[tuple[float, float, int]]:
    """(mean probability, share passed, size) of `count` bins of equal size."""
    parts = np.array_split(np.argsort(p, kind="stable"), count)
    return [(float(p[b].mean()), float(passed[b].mean()), len(b)) for b in parts if len(b)]


def ece(p: Floats, passed: Flags) -> float:
    """Expected calibration error over 15 bins of equal mass."""
    return sum(abs(mean - share) * size for mean, share, size in bins(p, passed)) / max(1, len(p))


def brier(p: Floats, passed: Flags) -> float:
    """Mean squared error of the probabilities."""
    return float(np.square(p - passed).mean())


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share."""
    if count == 0:
        return 0.0, 1.0
    share, spread = hits / count, z * z / count
    middle = share + spread / 2
    root = z * float(np.sqrt(share * (1 - share) / count + spread / (4 * count)))
    return max(0.0, (middle - root) / (1 + spread)), min(1.0, (middle + root) / (1 + spread))


def report(judged: Judged, seed: int = 0) -> dict[str, Any]:
    """All figures, as JSON: per head and overall, per stratum, per method, and which candidate would be chosen.

    AUC and AP are on all candidates; calibration and veto on those that the decoder wrote (on all, if it wrote none).
    """
    heads: dict[str, Any] = {}
    for name in (*DOMAINS, "all"):
        rows = judged.domain == DOMAINS.index(name) if name != "all" else np.ones(len(judged.p), np.bool_)
        if rows.any():
            heads[name] = _head(judged, np.flatnonzero(rows), seed)
    return {"heads": heads, "choice": choice(judged)}


def _head(judged: Judged, rows: NDArray[np.int64], seed: int) -> dict[str, Any]:
    own = rows[judged.written[rows]]
    own = own if len(own) else rows
    passed, full = judged.passed[rows], judged.scores["full"][rows]
    right, p, vetoed = judged.passed[own], judged.p[own], judged.vetoed[own]
    good, over, caught = int(right.sum()), int((vetoed & right).sum()), int((vetoed & ~right).sum())
    return {
        "count": len(rows),
        "passing": int(passed.sum()),
        "auc": auc(full, passed),
        "auc_interval": _interval(full, passed, judged.owner[rows], seed),
        "ap": average_precision(full, passed),
        "own_count": len(own),
        "own_passing": good,
        "own_auc": auc(judged.scores["full"][own], right),
        "ece": ece(p, right),
        "ece_all": ece(judged.p[rows], passed),
        "brier": brier(p, right),
        "over_veto": over / good if good else None,
        "over_veto_interval": wilson(over, good),
        "caught": caught / (len(own) - good) if len(own) > good else None,
        "caught_all": float(judged.vetoed[rows][~passed].mean()) if not passed.all() else None,
        "methods": {name: auc(scores[rows], passed) for name, scores in judged.scores.items() if name != "logprob"},
        "methods_own": {name: auc(scores[own], right) for name, scores in judged.scores.items()},
        "strata": _strata(full, passed, judged.stratum[rows]),
        "bins": bins(p, right),
    }


def _strata(scores: Floats, passed: Flags, stratum: NDArray[np.int8]) -> dict[str, Any]:
    """AUC of each stratum's failing candidates against all passing ones, and of the decoder's own against its own."""
    found: dict[str, Any] = {}
    for number, name in enumerate(STRATA):
        failing = ~passed & (stratum == number)
        if failing.any():
            rows = passed | failing
            found[name] = {"count": int(failing.sum()), "auc": auc(scores[rows], passed[rows])}
    own = stratum == STRATA.index("sampled")
    if own.any():
        found["sampled only"] = {"count": int(own.sum()), "auc": auc(scores[own], passed[own])}
    return found


def _interval(scores: Floats, passed: Flags, owner: NDArray[np.int64], seed: int) -> tuple[float, float] | None:
    """95 % bootstrap interval of the AUC over contexts."""
    rng = np.random.default_rng(seed)
    order = np.argsort(owner, kind="stable")
    _, first = np.unique(owner[order], return_index=True)
    groups = np.split(order, first[1:])
    drawn = []
    for _ in range(RESAMPLES):
        rows = np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])
        value = auc(scores[rows], passed[rows])
        if value is not None:
            drawn.append(value)
    if not drawn:
        return None
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def choice(judged: Judged) -> dict[str, Any]:
    """Pass rate of the best candidate by each method, over contexts where the choice matters.

    Only candidates that the decoder wrote, where there are such (nobody else's will be there to choose from).
    """
    pool = judged.written if judged.written.any() else np.ones(len(judged.p), np.bool_)
    rows = np.flatnonzero(pool)
    picked: dict[str, list[float]] = {name: [] for name in ("random", *judged.scores)}
    contexts = np.split(rows, np.flatnonzero(np.diff(judged.owner[rows])) + 1) if len(rows) else []
    mixed = [r for r in contexts if 0 < judged.passed[r].sum() < len(r)]
    for r in mixed:
        picked["random"].append(float(judged.passed[r].mean()))
        for name, scores in judged.scores.items():
            best = scores[r] == scores[r].max()
            picked[name].append(float(judged.passed[r][best].mean()))
    own = bool(judged.written.any())
    rates = {name: float(np.mean(values)) if values else None for name, values in picked.items()}
    return {"contexts": len(mixed), "decoder_only": own, "pass_rate": rates}
