"""Replaying selection policies on labelled candidates: success and decoder tokens without running anything.

A turn has the greedy candidate and others, each labelled by what happened when it was executed. A replay draws anew
among them, in proportion to p^(1/T): samples with replacement, the greedy one too, which keeps repeats as likely as
they are; branches among the others only, each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_agent.config.hybrid import Thresholds

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Turn:
    """One turn's candidates, the greedy one first (all arrays (n,)).

    `group` ties turns of one task together. `risk` and `deliberate` are the planner's.
    """

    group: str
    passed: npt.NDArray[np.bool_]
    logprob: Floats
    tokens: Floats
    choices: Floats
    energy: Floats
    p: Floats
    entropy: float
    low: float
    risk: float = 0.0
    deliberate: bool = False


@dataclass(frozen=True)
class Played:
    """Mean over replays, one entry a turn: success, decoder tokens, share of replays that ended early."""

    success: Floats
    tokens: Floats
    early: Floats


def draw(
    turns: Sequence[Turn], k: int, temperature: float, draws: int, seed: int, how: str = "branch"
) -> list[npt.NDArray[np.int64]]:
    """For each turn `draws` rows of k - 1 drawn candidates (indices); fewer where there are not so many branches.

    Args:
        how: "branch" or "sample", as in `hybrid_agent.types.Budget.draw`.
    """
    rng = np.random.default_rng(seed)
    out = []
    for turn in turns:
        scores = (turn.logprob - turn.logprob.max()) / temperature
        if how == "sample":
            weight = np.exp(scores)
            out.append(rng.choice(len(weight), size=(draws, k - 1), p=weight / weight.sum()))
        else:  # Gumbel noise: the largest sums are a draw without replacement
            noisy = scores[1:] + rng.gumbel(size=(draws, len(scores) - 1))
            out.append(1 + np.argsort(-noisy, axis=1)[:, : k - 1])
    return out


def greedy(turns: Sequence[Turn]) -> Played:
    """The greedy candidate of every turn."""
    zero = np.zeros(len(turns))
    return Played(np.array([float(t.passed[0]) for t in turns]), np.array([t.tokens[0] for t in turns]), zero)


def fixed(
    turns: Sequence[Turn],
    drawn: Sequence[npt.NDArray[np.int64]],
    k: int,
    *,
    rank: str = "energy",
    lm_weight: float = 0.0,
    margin: float | None = None,
) -> Played:
    """The greedy candidate and k - 1 others every turn, the best by `rank` ("energy", "logprob" or "oracle")."""
    rows = [_one(turn, picks[:, : k - 1], rank, lm_weight, margin) for turn, picks in zip(turns, drawn, strict=True)]
    success, tokens, early = np.array(rows).reshape(-1, 3).T
    return Played(success, tokens, early)


def adaptive(
    turns: Sequence[Turn], base: Played, wide: Played, rules: Thresholds
) -> tuple[Played, npt.NDArray[np.bool_]]:
    """The scheduler's policy: one candidate where it is sure, `wide` where the risk is high, else `base`.

    Returns:
        what it played, and for each turn whether one candidate was enough.
    """
    risky = np.array([rules.risky(t.risk, t.deliberate) for t in turns])
    sure = ~risky & np.array(
        [t.entropy <= rules.tau_entropy and t.low >= rules.tau_low and t.p[0] >= rules.tau_p for t in turns]
    )
    one = greedy(turns)

    def mixed(name: str) -> Floats:
        return np.where(sure, getattr(one, name), np.where(risky, getattr(wide, name), getattr(base, name)))

    return Played(mixed("success"), mixed("tokens"), mixed("early")), sure


def leads(turns: Sequence[Turn], drawn: Sequence[npt.NDArray[np.int64]]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """(lead of the best energy over the second, was the best right) for every prefix of two or more scored."""
    lead, right = [], []
    for turn, picks in zip(turns, drawn, strict=True):
        for row in picks:
            seen = list(dict.fromkeys([0, *row.tolist()]))
            for count in range(2, len(seen) + 1):
                order = sorted(seen[:count], key=lambda i: turn.energy[i])
                lead.append(turn.energy[order[1]] - turn.energy[order[0]])
                right.append(turn.passed[order[0]])
    return np.array(lead), np.array(right, dtype=bool)


def smallest_margin(lead: Floats, right: npt.NDArray[np.bool_], confidence: float, least: int = 50) -> float | None:
    """The smallest m with P(best right | lead >= m) >= confidence over at least `least` cases; None: there is none."""
    order = np.argsort(-lead, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero((share >= confidence) & (np.arange(1, len(order) + 1) >= least))
    return float(lead[order[good[-1]]]) if len(good) else None


def _one(
    turn: Turn, picks: npt.NDArray[np.int64], rank: str, lm_weight: float, margin: float | None
) -> tuple[float, float, float]:
    cost = {
        "energy": turn.energy - lm_weight * turn.logprob,
        "logprob": -turn.logprob,
        "oracle": -turn.passed.astype(float),
    }[rank]
    right = spent = early = 0.0
    for row in picks:
        # Rows are written side by side, so those with fewer choices finish first.
        finishing = sorted(row.tolist(), key=lambda i: turn.choices[i])
        seen = [0]
        tokens = turn.tokens[0]
        for at, index in enumerate(finishing):
            tokens += turn.tokens[index]
            if index not in seen:
                seen.append(index)
            rest = finishing[at + 1 :]
            if margin is not None and rest and _lead(turn.energy, seen) >= margin:
                early += 1
                done = turn.choices[index] / np.maximum(turn.choices[rest], 1.0)
                tokens += float((turn.tokens[rest] * np.minimum(1.0, done)).sum())  # written so far, then dropped
                break
        right += turn.passed[min(seen, key=lambda i: (cost[i], -turn.logprob[i]))]
        spent += tokens
    n = len(picks)
    return right / n, spent / n, early / n


def _lead(energy: Floats, seen: list[int]) -> float:
    if len(seen) < 2:
        return -np.inf
    low = np.sort(energy[seen])
    return float(low[1] - low[0])
