"""Paired intervals, rows of an ablation, and the claims made of them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from eval.ablation import gains, row
from eval.intervals import by_task, difference, mean, quantile, quantile_difference, ratio
from eval.metrics import wilson
from eval.result import TaskResult


def result(task: int, success: bool, tokens: int = 100, k: int = 1, ms: float = 10.0, **more: object) -> TaskResult:
    body = {"task_id": f"t{task}", "pack": "os", "family": "f", "split": "val", "goal": "g", "verified": True}
    said = {"success": success, "tokens": tokens, "forced": tokens // 2, "ks": (k, k), "segment_ms": (ms, 2 * ms)}
    return TaskResult.model_validate({**body, "status": "done", **said, **more})


def seeds(chance: float, *, tokens: int = 100, k: int = 1, tasks: int = 150, draw: int = 0) -> dict:
    """Three seeds; a task's difficulty is the same for every variant."""
    rng = random.Random(draw)
    hard = [random.Random(7 * task).random() for task in range(tasks)]
    return {s: [result(t, hard[t] + rng.gauss(0, 0.03) < chance, tokens, k) for t in range(tasks)] for s in range(3)}


def test_seeds_of_a_task_are_one_observation() -> None:
    cells = {("a", 0): 1.0, ("a", 1): 0.0, ("a", 2): 0.0, ("b", 0): 1.0}
    assert by_task(cells) == {"a": pytest.approx(1 / 3), "b": 1.0}
    assert mean(cells).value == pytest.approx(2 / 3) and mean(cells).n == 2
    values = {(t, 0): float(t % 2) for t in range(40)}
    repeated = {(t, s): value for (t, _), value in values.items() for s in range(5)}
    once, five = mean(values, seed=1), mean(repeated, seed=1)
    assert (once.low, once.high) == (five.low, five.high)  # repeats add no certainty


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        cells = {(t, s): float(rng.random() < 0.7) for t in range(60) for s in range(2)}
        found = mean(cells, 400, seed=trial)
        hits += found.low <= 0.7 <= found.high
    assert 176 <= hits <= 200


def test_a_share_that_never_varies_has_wilsons_interval() -> None:
    found = mean({(t, 0): 1.0 for t in range(20)}, share=True)
    assert (found.low, found.high) == wilson(20, 20)
    assert mean({(t, 0): 5.0 for t in range(20)}).low == 5.0
    assert (mean({}, share=True).low, mean({}, share=True).high) == (0.0, 1.0)


def test_differences_are_paired_by_task_and_seed() -> None:
    rng = random.Random(0)
    base = {(t, s): rng.gauss(10 * (t % 5), 1) for t in range(50) for s in range(3)}
    better = {key: value + 1 for key, value in base.items()}
    found = difference(better, base)
    assert (found.value, found.low, found.high) == (pytest.approx(1), pytest.approx(1), pytest.approx(1))
    other = {key: value for key, value in base.items() if key[1] == 0 and key[0] != "x"} | {("x", 0): 1e9}
    assert difference(better, other).n == 50 and difference(better, other).value == pytest.approx(1)
    assert ratio({k: 3 * v + 30 for k, v in base.items()}, {k: v + 10 for k, v in base.items()}).high == pytest.approx(
        3
    )


def test_quantiles_over_tasks() -> None:
    values = {t: [float(t), float(t) + 100] for t in range(100)}
    found = quantile(values, 0.25)
    assert found.value == 49 and found.low < 49 < found.high
    assert quantile(values, 0.95).value == 189
    assert quantile_difference(values, values, 0.95) == quantile_difference(values, values | {"x": [1e9]}, 0.95)
    assert quantile_difference(values, values, 0.95).high == 0


def test_a_row_and_its_difference_to_full() -> None:
    full, plain = seeds(0.9, tokens=200, k=2), seeds(0.6, draw=1)
    found = row("greedy", plain, full, resamples=500)
    assert found.tasks == 150 and found.seeds == 3
    assert found.figures["tokens"].value == 100 and found.against["tokens"].value == -100
    assert found.figures["forwards"].value == 50 and found.figures["k"].value == 1
    assert found.against["success"].high < -0.15 and found.against["p95"].value == 0
    body = found.as_json()
    assert body["figures"]["success"]["interval"][0] < body["figures"]["success"]["value"]
    assert not row("full", full, None, resamples=100).against


def test_masked_results_are_left_out_of_both_sides() -> None:
    full = {0: [result(1, True), result(2, False, infra=True)]}
    plain = {0: [result(1, False), result(2, True)]}
    found = row("greedy", plain, full, resamples=100)
    assert found.tasks == 2 and found.against["success"].n == 1 and found.against["success"].value == -1


def test_gains_say_yes_only_beyond_the_interval() -> None:
    full, same, fixed = seeds(0.85, tokens=150, k=2), seeds(0.85, draw=3), seeds(0.85, tokens=400, k=4, draw=4)
    said = {g.claim: g for g in gains({"full": full, "greedy": same, "fixed_k": fixed}, 0.6, 500)}
    assert said["full beats greedy"].holds is False
    assert said["full beats best of 4 by log-probability"].holds is None
    reaches = next(g for claim, g in said.items() if "fixed K=4" in claim)
    assert reaches.holds is True and "38 [38, 38] % of the tokens" in reaches.figures
    worse = {g.claim: g for g in gains({"full": seeds(0.5), "greedy": seeds(0.3), "fixed_k": fixed}, 0.6, 500)}
    assert worse["full beats greedy"].holds is True
    assert next(g for claim, g in worse.items() if claim.startswith("adaptive")).holds is False
    assert next(g for claim, g in said.items() if "four samples" in claim).holds is None
    samples = gains({"full": full, "four_samples": seeds(0.85, tokens=300, draw=4)}, 0.6, 500)[-1]
    assert samples.holds is True and "50 [50, 50] % of the tokens" in samples.figures
    costly = gains({"full": fixed, "fixed_k": seeds(0.85, tokens=500)}, 0.6, 200)[-2]
    assert costly.holds is False and str(costly).split(": ")[1].startswith("no; ")
