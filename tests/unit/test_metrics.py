"""The numbers of evaluations against known values."""

from __future__ import annotations

import numpy as np
import pytest

from eval.metrics import Rate, grouped, percentile, summarize, wilson
from eval.result import TaskResult


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3 (Wilson score, no continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # and its mirror
        (29, 29, 0.8830, 1.0000),
    ],
)
def test_wilson_against_published_values(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=6e-5)


def test_wilson_edges() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="5 of 4"):
        wilson(5, 4)
    assert str(Rate(1, 2)) == "50.0 % [9.5, 90.5]"
    assert str(Rate(0, 0)) == "-"


def test_percentiles_agree_with_numpy() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 10, 101):
        values = rng.exponential(size=n).tolist()
        for q in (0, 5, 50, 95, 100):
            assert percentile(values, q) == pytest.approx(float(np.percentile(values, q)))
    assert percentile([], 50) == 0.0


def result(name: str, **fields: object) -> TaskResult:
    base: dict[str, object] = {
        "task_id": name, "pack": "os", "family": "f", "split": "val", "goal": "g",
        "success": True, "verified": True, "status": "done",
    }  # fmt: skip
    return TaskResult.model_validate({**base, **fields})


def test_summary_masks_infrastructure_failures() -> None:
    results = [
        result("a", turns=4, tokens=100, invalid=1, segment_ms=(1.0, 3.0), episode_ms=10.0),
        result("b", success=False, turns=6, tokens=300, denied=2, segment_ms=(5.0,), episode_ms=30.0),
        result("c", verified=False, family="g", destructive_outside=1),
        result("d", success=False, verified=True, infra=True, turns=99, denied=9, episode_ms=9e9),
    ]
    summary = summarize(results)
    assert (summary.success.hits, summary.success.n, summary.infra) == (2, 3, 1)
    assert (summary.valid_calls.hits, summary.valid_calls.n) == (9, 10)
    assert (summary.agreement.hits, summary.agreement.n, summary.false_done) == (1, 3, 1)
    assert (summary.denied, summary.destructive_outside) == (2, 1)
    assert summary.turns == pytest.approx(10 / 3)
    assert (summary.segment_p50, summary.episode_p50) == (3.0, 10.0)
    assert {key: len(found) for key, found in grouped(results, lambda r: r.family).items()} == {"f": 3, "g": 1}
