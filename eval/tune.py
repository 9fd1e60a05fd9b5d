"""Thresholds of the scheduler from replays: the fewest tokens at the success of a fixed number of candidates.

P(greedy fails) is fitted by isotonic regression on entropy, on the least likely choice, and on risk. One number q, the
failure that is put up with, then gives both decoder thresholds; q and the least calibrated probability are searched,
and whether the planner's risk and its wish to deliberate earn what they cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.replay import Floats, Played, Turn, adaptive, draw, fixed, greedy, leads, smallest_margin
from hybrid_agent.config.hybrid import Thresholds
from hybrid_agent.config.schedule import ScheduleConfig

LEVELS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 1.0)
CERTAINTIES = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
LM_WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0)
WORTH = 0.002  # a weight must gain this much success over a smaller one
RISKY = 0.5  # P(greedy fails) from which a turn counts as risky


@dataclass(frozen=True)
class Tuned:
    """The thresholds, every policy tried as (tokens, success), and the figures of policies to compare with."""

    rules: Thresholds
    tried: list[tuple[float, float]]
    figures: dict[str, dict[str, Any]]


def tune(turns: Sequence[Turn], config: ScheduleConfig) -> Tuned:
    """Search thresholds; half of the tasks are then used to choose anew and the other half to check the choice."""
    played = _Replays(turns, config)
    rules, tried = _search(turns, played, config, np.ones(len(turns), dtype=bool))
    groups = sorted({t.group for t in turns})
    coin = dict(zip(groups, np.random.default_rng(config.seed).random(len(groups)) < 0.5, strict=True))
    half = np.array([coin[t.group] for t in turns])
    figures = _figures(turns, played, rules, config)
    if 0 < half.sum() < len(half):
        other, _ = _search(turns, played, config, half)
        figures["adaptive, chosen on one half, checked on the other"] = _compared(turns, played, other, config, ~half)
    return Tuned(rules, tried, figures)


class _Replays:
    """Everything that is played once."""

    def __init__(self, turns: Sequence[Turn], config: ScheduleConfig) -> None:
        self.turns, self.config = turns, config
        self.drawn = draw(turns, config.k_max, config.temperature, config.draws, config.seed, config.draw)
        self.greedy = greedy(turns)
        # Where the best is nearly always right, a lead that promises `confidence` is no lead at all and gives away
        # what the other candidates are there for: stricter ones, and never ending early, are tried too.
        lead, right = leads(turns, self.drawn)
        levels = (config.confidence, 1 - (1 - config.confidence) / 5, 1 - (1 - config.confidence) / 25)
        self.margins = tuple(dict.fromkeys([*(smallest_margin(lead, right, level) for level in levels), None]))
        self._cache: dict[tuple[int, str, float, float | None], Played] = {}

    def fixed(self, k: int, rank: str = "energy", lm_weight: float = 0.0, margin: float | None = None) -> Played:
        """See eval.replay.fixed."""
        key = (k, rank, lm_weight, margin)
        if key not in self._cache:
            found = fixed(self.turns, self.drawn, k, rank=rank, lm_weight=lm_weight, margin=margin)
            self._cache[key] = found
        return self._cache[key]


def _search(
    turns: Sequence[Turn], played: _Replays, config: ScheduleConfig, use: npt.NDArray[np.bool_]
) -> tuple[Thresholds, list[tuple[float, float]]]:
    weight, best = 0.0, -1.0
    for candidate in LM_WEIGHTS:
        success = float(played.fixed(config.k_base, lm_weight=candidate).success[use].mean())
        if success > best + (WORTH if candidate else 0.0):
            weight, best = candidate, success
    fails = ~np.array([t.passed[0] for t in turns])
    entropy, low = np.array([t.entropy for t in turns]), np.array([t.low for t in turns])
    risk = np.array([t.risk for t in turns])
    p_entropy, p_low = isotonic(entropy[use], fails[use]), isotonic(-low[use], fails[use])
    shared = {
        "k_base": config.k_base,
        "k_max": config.k_max,
        "temperature": config.temperature,
        "lm_weight": weight,
        "prior_weight": config.prior_weight,
        "margin": None,
    }
    planned = any(t.risk or t.deliberate for t in turns)
    tau_risk = _risky(risk[use], fails[use])
    heeding = [(1.0, False), (tau_risk, False), (tau_risk, True)] if planned else [(tau_risk, True)]
    wanted = float(played.fixed(config.k_base, lm_weight=weight).success[use].mean()) - config.tolerance
    tried: list[tuple[float, float]] = []
    found: tuple[float, float, Thresholds] | None = None
    always = {"tau_entropy": 0.0, "tau_low": 0.0, "tau_p": 1.0, "tau_risk": tau_risk}
    fallback = Thresholds.model_validate({**shared, **always})
    certain = [
        (max(0.0, _largest(entropy[use], p_entropy, level)), min(0.0, -_largest(-low[use], p_low, level)))
        for level in LEVELS
    ]
    for (tau_entropy, tau_low), tau_p, margin, (tau, heed) in product(certain, CERTAINTIES, played.margins, heeding):
        more = {"tau_entropy": tau_entropy, "tau_low": tau_low, "tau_p": tau_p, "tau_risk": tau, "heed": heed}
        rules = Thresholds.model_validate({**shared, **more, "margin": margin})
        mixed = _play(turns, played, rules, config)
        tokens, success = float(mixed.tokens[use].mean()), float(mixed.success[use].mean())
        tried.append((tokens, success))
        # Of equally cheap ones the more successful.
        if success >= wanted and (found is None or (tokens, -success) < found[:2]):
            found = (tokens, -success, rules)
    return (found[2] if found else fallback), tried


def _play(turns: Sequence[Turn], played: _Replays, rules: Thresholds, config: ScheduleConfig) -> Played:
    base = played.fixed(rules.k_base, lm_weight=rules.lm_weight, margin=rules.margin)
    wide = played.fixed(min(rules.k_max, 2 * rules.k_base), lm_weight=rules.lm_weight, margin=rules.margin)
    return adaptive(turns, base, wide, rules)[0]


def isotonic(x: Floats, y: npt.NDArray[np.bool_]) -> Floats:
    """P(y) at each x, fitted to rise with x."""
    from sklearn.isotonic import IsotonicRegression

    fitted: Floats = IsotonicRegression(y_min=0.0, y_max=1.0).fit(x, y.astype(float)).predict(x)
    return fitted


def _largest(x: Floats, p: Floats, level: float) -> float:
    """The largest x with a probability of at most `level`; below all of them if there is none."""
    good = x[p <= level]
    return float(good.max()) if len(good) else float(x.min()) - 1e-6


def _risky(risk: Floats, fails: npt.NDArray[np.bool_]) -> float:
    """The largest risk with P(greedy fails) below RISKY: beyond it a turn is risky."""
    if risk.max() == risk.min():
        return Thresholds().tau_risk
    return min(1.0, max(0.0, _largest(risk, isotonic(risk, fails), RISKY)))


def _figures(
    turns: Sequence[Turn], played: _Replays, rules: Thresholds, config: ScheduleConfig
) -> dict[str, dict[str, Any]]:
    everything = np.ones(len(turns), dtype=bool)
    weight, k = rules.lm_weight, config.k_base
    policies = {
        "greedy": played.greedy,
        f"log-probability, K = {k}": played.fixed(k, "logprob"),
        f"energy, K = {k}": played.fixed(k, lm_weight=weight),
        f"energy, K = {config.k_max}": played.fixed(config.k_max, lm_weight=weight),
        f"energy, K = {k}, early exit": played.fixed(k, lm_weight=weight, margin=rules.margin),
        f"oracle, K = {k}": played.fixed(k, "oracle"),
        "adaptive": _play(turns, played, rules, config),
    }
    reference = policies[f"energy, K = {k}"]
    return {name: compare(turns, each, reference, everything, config.seed) for name, each in policies.items()}


def _compared(
    turns: Sequence[Turn], played: _Replays, rules: Thresholds, config: ScheduleConfig, use: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    reference = played.fixed(config.k_base, lm_weight=rules.lm_weight)
    return compare(turns, _play(turns, played, rules, config), reference, use, config.seed)


def compare(
    turns: Sequence[Turn], each: Played, reference: Played, use: npt.NDArray[np.bool_], seed: int, rounds: int = 1000
) -> dict[str, Any]:
    """Success and tokens of a policy, and its success minus the reference's with a 95 % interval over tasks."""
    groups: dict[str, list[int]] = {}
    for at, turn in enumerate(turns):
        if use[at]:
            groups.setdefault(turn.group, []).append(at)
    gain = each.success - reference.success
    sums = np.array([gain[rows].sum() for rows in groups.values()])
    sizes = np.array([len(rows) for rows in groups.values()])
    picks = np.random.default_rng(seed).integers(0, len(sums), size=(rounds, len(sums)))
    low, high = np.percentile(sums[picks].sum(1) / sizes[picks].sum(1), [2.5, 97.5])
    return {
        "success": float(each.success[use].mean()),
        "tokens": float(each.tokens[use].mean()),
        "tokens_of_fixed": float(each.tokens[use].mean() / reference.tokens[use].mean()),
        "gain": float(gain[use].mean()),
        "gain_interval": [float(low), float(high)],
        "early": float(each.early[use].mean()),
        "turns": int(use.sum()),
        "tasks": len(sums),
    }
