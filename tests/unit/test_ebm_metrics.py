"""Figures, calibration and veto thresholds against their definitions."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from hybrid_agent.scorer.calibration import Head, fit_head, upper_bound, veto_threshold
from train.ebm_metrics import Judged, auc, average_precision, bins, brier, choice, ece, report, wilson

RNG = np.random.default_rng(0)


def drawn(count, seed=0):
    """Energies, and passes drawn with probability sigmoid(-energy)."""
    rng = np.random.default_rng(seed)
    energies = rng.normal(0, 3, count)
    return energies, rng.random(count) < 1 / (1 + np.exp(energies))


@pytest.mark.parametrize("digits", [0, 6])
def test_areas_are_those_of_scikit_learn_ties_included(digits):
    energies, passed = drawn(400)
    scores = np.round(-energies, digits)
    assert auc(scores, passed) == pytest.approx(roc_auc_score(passed, scores))
    assert average_precision(scores, passed) == pytest.approx(average_precision_score(passed, scores))


def test_one_kind_only_has_no_area():
    assert auc(np.zeros(3), np.ones(3, bool)) is None and average_precision(np.zeros(3), np.zeros(3, bool)) is None


def test_calibration_error_of_honest_and_of_sure_probabilities():
    energies, passed = drawn(20000)
    p = 1 / (1 + np.exp(energies))
    assert ece(p, passed) < 0.02
    assert ece(np.ones(len(p)), passed) == pytest.approx(1 - passed.mean())
    assert [size for _, _, size in bins(p, passed)] == [1334] * 5 + [1333] * 10
    assert brier(passed.astype(float), passed) == 0


def test_isotonic_curves_are_monotone_and_calibrated_on_unseen_candidates():
    head = fit_head(*drawn(3000))
    energies, passed = drawn(20000, seed=1)
    p = head.probabilities(energies)
    assert ece(p, passed) < 0.03
    grid = head.probabilities(np.linspace(-20, 20, 500))
    assert (np.diff(grid) <= 0).all() and 0 < grid[-1] < 0.1 and 0.9 < grid[0] < 1


def test_one_candidate_makes_a_curve():
    assert 0 < fit_head(np.array([1.0]), np.array([True])).probabilities(np.array([0.0]))[0] < 1


@pytest.mark.parametrize("knots", [((1.0, 0.0), (0.9, 0.1)), ((0.0, 1.0), (0.1, 0.9)), ((0.0,), (0.1, 0.2))])
def test_curves_that_are_none_are_refused(knots):
    with pytest.raises(ValueError, match="energies"):
        Head(energies=knots[0], passes=knots[1])


def test_the_threshold_is_as_large_as_the_share_allows():
    energies, passed = drawn(20000)
    p = 1 / (1 + np.exp(energies))
    threshold = veto_threshold(p, passed, 0.01)
    over = int((p[passed] < threshold).sum())
    assert upper_bound(over, int(passed.sum())) <= 0.01 < upper_bound(over + 2, int(passed.sum()))
    fresh, right = drawn(20000, seed=1)
    assert ((1 / (1 + np.exp(fresh)))[right] < threshold).mean() <= 0.012


def test_few_passing_calls_give_no_veto_and_a_perfect_head_stops_at_the_cap():
    assert veto_threshold(np.full(50, 0.9), np.ones(50, bool), 0.01) == 0.0
    p, passed = np.repeat([0.99, 0.01], 1000), np.repeat([True, False], 1000)
    assert veto_threshold(p, passed, 0.01, cap=0.5) == 0.5


def test_intervals_hold_the_share():
    low, high = wilson(3, 100)
    assert 0 < low < 0.03 < high < 0.1
    assert wilson(0, 0) == (0.0, 1.0) and wilson(0, 10)[0] == 0


def test_a_report_counts_each_head_stratum_and_choice():
    full = np.array([3.0, 1.0, 2.0, 0.0, 5.0, 4.0])
    passed = np.array([True, False, True, False, False, True])
    judged = Judged(
        scores={"full": full, "model": full, "features": -full},
        p=np.array([0.9, 0.1, 0.8, 0.1, 0.3, 0.02]),
        vetoed=np.array([False, True, False, True, False, True]),
        passed=passed,
        domain=np.array([1, 1, 1, 1, 2, 2], np.int8),
        stratum=np.array([0, 1, 1, 2, 2, 0], np.int8),
        owner=np.array([0, 0, 1, 1, 2, 2]),
        written=np.zeros(6, bool),
    )
    found = report(judged)
    assert set(found["heads"]) == {"shell", "editor", "all"}
    shell = found["heads"]["shell"]
    assert shell["auc"] == 1.0 and shell["over_veto"] == 0.0 and shell["caught"] == 1.0
    assert shell["methods"]["features"] == 0.0
    assert found["heads"]["editor"]["over_veto"] == 1.0
    assert shell["strata"]["sampled"] == {"count": 1, "auc": 1.0}
    assert found["choice"]["contexts"] == 3
    assert choice(judged)["pass_rate"] == {
        "random": 0.5, "full": pytest.approx(2 / 3), "model": pytest.approx(2 / 3), "features": pytest.approx(1 / 3)
    }  # fmt: skip
