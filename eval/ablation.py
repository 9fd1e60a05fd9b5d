"""Figures of an ablation: one row a variant, its paired difference to the full hybrid, and what the hybrid gains."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from eval.intervals import Cells, Estimate, difference, mean, quantile, quantile_difference, ratio
from eval.result import TaskResult

FULL, GREEDY, LOGPROB, FIXED, SAMPLES = "full", "greedy", "logprob4", "fixed_k", "four_samples"
Results = Mapping[int, Sequence[TaskResult]]  # seed -> results


@dataclass(frozen=True)
class Row:
    """One variant on a set of tasks.

    `figures`: success, tokens, forwards, p50, p95, k. `against` has the same (without k) minus those of the full
    hybrid, over the tasks and seeds that both have. `forwards` counts tokens that had to be chosen: each costs a
    position of a forward pass; forced tokens cost none of their own.
    """

    name: str
    note: str
    seeds: int
    tasks: int
    figures: dict[str, Estimate]
    against: dict[str, Estimate] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        body = asdict(self)
        for key in ("figures", "against"):
            body[key] = {name: value.as_json() for name, value in getattr(self, key).items()}
        return body


@dataclass(frozen=True)
class Gain:
    """A claim, whether it holds, and the figures that say so. `None`: a variant was not run."""

    claim: str
    holds: bool | None
    figures: str

    def __str__(self) -> str:
        said = {True: "yes", False: "no", None: "not run"}[self.holds]
        return f"{self.claim}: {said}" + (f"; {self.figures}" if self.figures else "")


def counted(results: Results, splits: Iterable[str] | None = None) -> dict[tuple[Hashable, int], TaskResult]:
    """Results by task and seed, masked ones left out."""
    wanted = set(splits) if splits is not None else None
    return {
        (result.task_id, seed): result
        for seed, found in results.items()
        for result in found
        if not result.infra and (wanted is None or result.split in wanted)
    }


def row(name: str, ours: Results, full: Results | None, *, note: str = "", resamples: int = 4000) -> Row:
    """The figures of a variant, and against `full` (None: it is the full hybrid)."""
    mine = counted(ours)
    cells, times = _cells(mine), _times(mine)
    few = min(resamples, 400)  # quantiles are slow to draw
    figures = {key: mean(each, resamples, share=key == "success") for key, each in cells.items()}
    figures |= {f"p{q}": quantile(times, q / 100, few) for q in (50, 95)}
    against: dict[str, Estimate] = {}
    if full is not None:
        theirs = counted(full)
        others = _cells(theirs)
        against = {key: difference(cells[key], others[key], resamples) for key in cells if key != "k"}
        against |= {f"p{q}": quantile_difference(times, _times(theirs), q / 100, few) for q in (50, 95)}
    return Row(name, note, len(ours), figures["success"].n, figures, against)


def gains(found: Mapping[str, Results], token_share: float, resamples: int = 4000) -> list[Gain]:
    """What the full hybrid is worth, by the plain definitions: beyond an interval, or within one."""
    cells = {name: _cells(counted(results)) for name, results in found.items()}
    return [
        _beats("full beats greedy", cells, FULL, GREEDY, resamples),
        _beats("full beats best of 4 by log-probability", cells, FULL, LOGPROB, resamples),
        _beats("the best of four samples by energy beats that by log-probability", cells, SAMPLES, LOGPROB, resamples),
        _reaches(cells, "fixed K=4", FIXED, token_share, resamples),
        _reaches(cells, "four samples a call", SAMPLES, token_share, resamples),
    ]


def _beats(claim: str, cells: Mapping[str, Mapping[str, Cells]], ours: str, other: str, resamples: int) -> Gain:
    if ours not in cells or other not in cells:
        return Gain(claim, None, "")
    gap = difference(cells[ours]["success"], cells[other]["success"], resamples)
    ours_k, other_k = (mean(cells[name]["k"], 100).value for name in (ours, other))
    return Gain(claim, gap.low > 0, f"{points(gap)} points of success, mean K {ours_k:.1f} against {other_k:.1f}")


def _reaches(
    cells: Mapping[str, Mapping[str, Cells]], what: str, other: str, token_share: float, resamples: int
) -> Gain:
    claim = f"adaptive K reaches {what} within its interval at <= {100 * token_share:.0f} % of its tokens"
    if FULL not in cells or other not in cells:
        return Gain(claim, None, "")
    gap = difference(cells[FULL]["success"], cells[other]["success"], resamples)
    spent = ratio(cells[FULL]["tokens"], cells[other]["tokens"], resamples)
    holds = gap.high >= 0 and spent.value <= token_share
    share = f"{100 * spent.value:.0f} [{100 * spent.low:.0f}, {100 * spent.high:.0f}] % of the tokens"
    return Gain(claim, holds, f"{points(gap)} points of success at {share}")


def points(gap: Estimate) -> str:
    """A difference of shares in points, with its interval."""
    return f"{100 * gap.value:+.1f} [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]"


def _cells(results: Mapping[tuple[Hashable, int], TaskResult]) -> dict[str, Cells]:
    return {
        "success": {key: float(r.success) for key, r in results.items()},
        "tokens": {key: float(r.tokens) for key, r in results.items()},
        "forwards": {key: float(r.tokens - r.forced) for key, r in results.items()},
        "k": {key: sum(r.ks) / len(r.ks) for key, r in results.items() if r.ks},
    }


def _times(results: Mapping[tuple[Hashable, int], TaskResult]) -> dict[Hashable, list[float]]:
    found: dict[Hashable, list[float]] = {}
    for (task, _), result in results.items():
        found.setdefault(task, []).extend(result.segment_ms)
    return found
