"""Figures of programs, and the energy learned from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval.pool_suite.crossfit import cross_fit, divide
from eval.pool_suite.figures import auc, calibration_error, estimate, half_pool, top_one
from hybrid_agent.errors import InputError
from hybrid_agent.scorer.pool.agreement import agreement_features
from hybrid_agent.scorer.pool.energy import Knobs, PoolEnergy, combine, fit
from hybrid_agent.scorer.pool.priors import BAD, GOOD, NAMES, START
from hybrid_agent.scorer.pool.program import normal_form, parse
from hybrid_agent.scorer.pool.records import PoolTask, read_pool
from hybrid_agent.scorer.pool.static import static_features
from hybrid_agent.scorer.pool.view import Executed, PoolView, centred_ranks, make_view
from tests.unit.pool_cases import record, write_pool


@pytest.fixture
def tasks(tmp_path: Path) -> list[PoolTask]:
    return read_pool(write_pool(tmp_path / "pool.jsonl", [record(f"t/{i}") for i in range(6)]))


def test_static_checks_see_what_is_wrong(tasks: list[PoolTask]) -> None:
    rows = static_features(tasks[0])
    assert [r["parses"] for r in rows] == [1, 1, 1, 1, 1, 1, 0, 1]
    assert rows[4]["empty"] == 1 and rows[4]["unused_parameters"] == 1 and rows[0]["unused_parameters"] == 0
    assert rows[0]["falls_through"] == 0 and rows[7]["falls_through"] == 1
    assert rows[7]["todo"] == 1 and rows[7]["prints"] == 1


def test_every_figure_has_a_place(tasks: list[PoolTask]) -> None:
    named = {n for rows in (static_features(tasks[0]), agreement_features(tasks[0])) for row in rows for n in row}
    assert named == set(NAMES) and len(NAMES) == len(set(NAMES))
    assert all((weight > 0) == (name in GOOD) and (weight < 0) == (name in BAD) for name, weight in START.items())


def test_names_and_layout_do_not_make_a_program_different() -> None:
    one = parse("def f(x):\n    '''Doc.'''\n    y = x + 1  # more\n    return y\n")
    two = parse("def f(number):\n    result = number + 1\n    return result\n")
    three = parse("def f(x):\n    y = x + 2\n    return y\n")
    assert one and two and three
    assert normal_form(one) == normal_form(two) != normal_form(three)
    assert parse("return 1") is None


def test_ranks_share_the_middle() -> None:
    assert centred_ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [0.5, -0.75, 0.5, -0.25]
    assert centred_ranks(np.array([2.0, 2.0])).tolist() == [0.0, 0.0]


def test_fit_ranks_right_programs_first_and_keeps_signs(tasks: list[PoolTask]) -> None:
    views = [make_view(t) for t in tasks]
    labels = [np.array(t.passed) for t in tasks]
    model = fit(views, labels)
    assert auc(-model.energies(views[0], execution=False), labels[0]) == 1.0
    weights = dict(zip(NAMES, model.weights, strict=True))
    assert all(weights[n] >= 0 for n in GOOD) and all(weights[n] <= 0 for n in BAD)
    assert model == fit(views, labels)
    assert PoolEnergy.from_json(json.loads(json.dumps(model.as_json()))) == model
    with pytest.raises(InputError):
        PoolEnergy.from_json({"format": 1, "weights": {"parses": 1.0}, "knobs": {}})


def test_without_contrast_the_prior_stays(tasks: list[PoolTask]) -> None:
    views = [make_view(tasks[0])]
    model = fit(views, [np.zeros(8, dtype=np.bool_)])
    assert dict(zip(NAMES, model.weights, strict=True)) == {n: START.get(n, 0.0) for n in NAMES}


def test_execution_moves_belief_to_the_larger_mass() -> None:
    looks = np.array([1.0, 0.9, 0.8, -2.7])
    kernel = np.eye(4)
    kernel[1, 2] = kernel[2, 1] = 1.0
    view = PoolView(np.zeros((4, len(NAMES))), {}, np.zeros((4, 4)), Executed(kernel, np.zeros(4), np.zeros((4, 3))))
    assert int(np.argmin(combine(looks, view, None))) == 0
    assert int(np.argmin(combine(looks, view, 0.2))) == 1
    with pytest.raises(ValueError, match="not run"):
        combine(looks, PoolView(view.ranks, {}, view.facts, None), 0.2)


def test_labels_of_the_held_fold_do_not_reach_its_energies(tasks: list[PoolTask]) -> None:
    views = [make_view(t) for t in tasks]
    labels = [np.array(t.passed) for t in tasks]
    before = cross_fit(views, labels, 3, 0, execution=False).looks
    fold = divide(6, 3, 0)[0]
    turned = [~y if i in fold else y for i, y in enumerate(labels)]
    after = cross_fit(views, turned, 3, 0, execution=False).looks
    other = next(i for i in range(6) if i not in fold)
    assert all(np.array_equal(before.energies[i], after.energies[i]) for i in fold)
    assert all(np.array_equal(before.probabilities[i], after.probabilities[i]) for i in fold)
    assert not np.array_equal(before.energies[other], after.energies[other])


def test_figures() -> None:
    passed = np.array([True, False, False, True])
    assert top_one(np.array([0.0, 0.0, 1.0, 2.0]), passed) == 0.5
    assert half_pool(np.array([0.0, 1.0, 2.0, 3.0]), np.array([True, False, False, False])) == pytest.approx(8 / 15)
    assert auc(np.array([3.0, 1.0, 2.0, 4.0]), passed) == 1.0 and auc(np.zeros(4), passed) == 0.5
    assert auc(np.zeros(2), np.array([True, True])) is None
    assert calibration_error(np.array([0.25, 0.25, 0.25, 0.25]), passed) == pytest.approx(0.25)
    found = estimate(np.array([0.0, 1.0] * 20), 500, 0)
    assert found.low < found.value == 0.5 < found.high
    assert Knobs().strength > 0
