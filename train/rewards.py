"""What a try is worth, compared with the other tries of its group. One module for all kinds of reinforcement learning.

Parts are normalised separately, then summed:

- tests: 1 where the try passes (the held-out check included), else 0;
- violation: -0.5 where the gate refused a call;
- latency: 0 to -0.05 among passing tries, by the share of the way from the cheapest to the dearest of them;
- energy: at most +-0.1, the distance to the mean energy of tries with the same result. It can never outweigh a result.

The advantage is the reward less the group's mean. It is not divided by the group's deviation: that would give most
weight to the groups that say least (Liu et al. 2025, Dr. GRPO).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_agent.config.stages.rl import RewardConfig


@dataclass(frozen=True)
class Result:
    """What became of a try. `cost` counts forward passes; `energy` is None without a scorer; `count` equal tries."""

    passed: bool
    violated: bool = False
    cost: float = 0.0
    energy: float | None = None
    count: int = 1


def rewards(results: Sequence[Result], config: RewardConfig) -> list[float]:
    """The reward of each try of a group. Energies are used where all tries have one."""
    latency = _latency(results)
    margins = _margins(results)
    return [
        config.tests * r.passed - config.violation * r.violated - config.latency * late + config.energy * margin
        for r, late, margin in zip(results, latency, margins, strict=True)
    ]


def advantages(values: Sequence[float], counts: Sequence[int]) -> list[float]:
    """Each reward less the mean over all tries (equal tries count as often as they were made)."""
    mean = sum(v * n for v, n in zip(values, counts, strict=True)) / sum(counts)
    return [value - mean for value in values]


def pair_auc(groups: Sequence[Sequence[Result]]) -> tuple[float, int]:
    """How often the energy is lower for the passing one of two tries of one group, and the number of such pairs."""
    right, pairs = 0.0, 0
    for results in groups:
        for good in results:
            for bad in results:
                if good.passed and not bad.passed and good.energy is not None and bad.energy is not None:
                    weight = good.count * bad.count
                    pairs += weight
                    right += weight * ((good.energy < bad.energy) + 0.5 * (good.energy == bad.energy))
    return (right / pairs if pairs else 0.5), pairs


def _latency(results: Sequence[Result]) -> list[float]:
    """0 for the cheapest passing try, 1 for the dearest, 0 for the failing ones."""
    costs = [r.cost for r in results if r.passed]
    low, span = (min(costs), max(costs) - min(costs)) if costs else (0.0, 0.0)
    return [(r.cost - low) / span if r.passed and span > 0 else 0.0 for r in results]


def _margins(results: Sequence[Result]) -> list[float]:
    """Mean energy of the tries with the same result less a try's own, within -1..1."""
    if any(r.energy is None for r in results):
        return [0.0] * len(results)
    margins = []
    for result in results:
        tied = [r for r in results if (r.passed, r.violated) == (result.passed, result.violated)]
        mean = sum((r.energy or 0.0) * r.count for r in tied) / sum(r.count for r in tied)
        margins.append(max(-1.0, min(1.0, mean - (result.energy or 0.0))))
    return margins
