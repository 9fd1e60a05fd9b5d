"""Numbers of an evaluation: proportions with their uncertainty, percentiles, and the summary of many tasks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eval.result import TaskResult

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """A proportion with its 95 % Wilson interval."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        """The proportion; 0 if nothing was counted."""
        return self.hits / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval; (0, 1) if nothing was counted."""
        return wilson(self.hits, self.n)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]" if self.n else "-"

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"rate": self.value, "interval": list(self.interval), "hits": self.hits, "n": self.n}


def wilson(hits: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson score interval of a proportion.

    Raises:
        ValueError: hits is not within 0..n.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is not a proportion")
    if n == 0:
        return 0.0, 1.0
    p = hits / n
    centre = p + z * z / (2 * n)
    margin = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)


def percentile(values: Sequence[float], q: float) -> float:
    """The q-th percentile (0..100) with linear interpolation, as numpy's default; 0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    position = (len(ordered) - 1) * q / 100
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


@dataclass(frozen=True)
class Summary:
    """What a set of results says. Infrastructure failures are counted, and left out of everything else.

    `choices` are tokens that cost a forward pass. `wide` is the share of turns with more than one candidate,
    `overruled` the share in which the first was not taken.
    """

    success: Rate
    valid_calls: Rate
    agreement: Rate
    false_done: int
    infra: int
    turns: float
    tokens: float
    forced: float
    choices: float
    mean_k: float
    wide: Rate
    overruled: Rate
    early: int
    cancelled: int
    vetoed: int
    denied: int
    destructive_outside: int
    segment_p50: float
    segment_p95: float
    episode_p50: float
    episode_p95: float

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        body = asdict(self)
        for key in ("success", "valid_calls", "agreement", "wide", "overruled"):
            body[key] = getattr(self, key).as_json()
        return body


def summarize(results: Iterable[TaskResult]) -> Summary:
    """The summary of any set of results."""
    everything = list(results)
    counted = [r for r in everything if not r.infra]
    segments = [ms for r in counted for ms in r.segment_ms]
    episodes = [r.episode_ms for r in counted]
    turns = sum(r.turns for r in counted)
    ks = [k for r in counted for k in r.ks]
    return Summary(
        success=Rate(sum(r.success for r in counted), len(counted)),
        valid_calls=Rate(turns - sum(r.invalid for r in counted), turns),
        agreement=Rate(sum(r.verified == r.success for r in counted), len(counted)),
        false_done=sum(r.verified and not r.success for r in counted),
        infra=len(everything) - len(counted),
        turns=_mean([r.turns for r in counted]),
        tokens=_mean([r.tokens for r in counted]),
        forced=_mean([r.forced for r in counted]),
        choices=_mean([r.tokens - r.forced for r in counted]),
        mean_k=_mean(ks),
        wide=Rate(sum(k > 1 for k in ks), len(ks)),
        overruled=Rate(min(len(ks), sum(r.overruled for r in counted)), len(ks)),
        early=sum(r.early for r in counted),
        cancelled=sum(r.cancelled for r in counted),
        vetoed=sum(r.vetoed for r in counted),
        denied=sum(r.denied for r in counted),
        destructive_outside=sum(r.destructive_outside for r in counted),
        segment_p50=percentile(segments, 50),
        segment_p95=percentile(segments, 95),
        episode_p50=percentile(episodes, 50),
        episode_p95=percentile(episodes, 95),
    )


def grouped(results: Iterable[TaskResult], key: Callable[[TaskResult], str]) -> dict[str, list[TaskResult]]:
    """Results by key, keys sorted."""
    groups: dict[str, list[TaskResult]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result)
    return dict(sorted(groups.items()))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
