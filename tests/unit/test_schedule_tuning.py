"""Replays of selection policies on cases that can be worked out by hand, and the search over thresholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eval.replay import Turn, adaptive, draw, fixed, greedy, leads, smallest_margin
from eval.schedule import refuse_test_tasks, turns_of
from eval.tune import tune
from hybrid_agent.config.hybrid import Thresholds
from hybrid_agent.config.schedule import ScheduleConfig
from hybrid_agent.errors import InputError
from hybrid_agent.traces.contexts import Candidate, Context
from hybrid_agent.types import AbsentCheck, Score, Segment, Task, Window


def turn(passed: list[bool], energy: list[float], group: str = "g", entropy: float = 0.0, risk: float = 0.0) -> Turn:
    n = len(passed)
    return Turn(
        group=group,
        passed=np.array(passed),
        logprob=-np.arange(n, dtype=float),
        tokens=np.full(n, 10.0),
        choices=np.arange(1, n + 1, dtype=float),
        energy=np.array(energy),
        p=1 / (1 + np.exp(np.array(energy))),
        entropy=entropy,
        low=-entropy,
        risk=risk,
    )


ONE = turn([False, True, False], [1.0, -1.0, 4.0])
ALL = [np.array([[1, 2]])]


def test_what_policies_choose_and_cost() -> None:
    played = fixed([ONE], ALL, 3)
    assert (played.success[0], played.tokens[0], played.early[0]) == (1.0, 30.0, 0.0)
    assert fixed([ONE], ALL, 3, rank="logprob").success[0] == 0.0
    assert fixed([ONE], ALL, 3, lm_weight=5.0).success[0] == 0.0
    assert fixed([ONE], [np.array([[2, 2]])], 3, rank="oracle").success[0] == 0.0
    assert (greedy([ONE]).success[0], greedy([ONE]).tokens[0]) == (0.0, 10.0)


def test_an_early_exit_pays_for_what_was_written_so_far() -> None:
    # Candidate 1 finishes after 2 choices with a lead of 2; candidate 2 has then written 2 of its 3.
    played = fixed([ONE], ALL, 3, margin=2.0)
    assert (played.success[0], played.early[0]) == (1.0, 1.0)
    assert played.tokens[0] == pytest.approx(20 + 10 * 2 / 3)
    assert fixed([ONE], ALL, 3, margin=2.5).tokens[0] == 30.0


def test_samples_follow_the_probabilities() -> None:
    drawn = draw([ONE], 3, 1.0, 4000, seed=0, how="sample")[0]
    assert drawn.shape == (4000, 2)
    weight = np.exp(ONE.logprob) / np.exp(ONE.logprob).sum()
    assert np.bincount(drawn.ravel(), minlength=3) / drawn.size == pytest.approx(weight, abs=0.02)


def test_branches_are_drawn_once_each_and_never_the_greedy_one() -> None:
    four = turn([True] * 4, [0.0] * 4)
    drawn = draw([four, ONE], 3, 1.0, 4000, seed=0)
    assert drawn[0].shape == drawn[1].shape == (4000, 2)
    assert all(set(row) == {1, 2} for row in drawn[1].tolist())
    weight = np.exp(four.logprob[1:]) / np.exp(four.logprob[1:]).sum()
    assert np.bincount(drawn[0][:, 0], minlength=4)[1:] / 4000 == pytest.approx(weight, abs=0.03)
    assert draw([turn([True], [0.0])], 4, 1.0, 7, seed=0)[0].shape == (7, 0)


def test_the_scheduler_is_played_by_its_own_rules() -> None:
    turns = [turn([True], [-3.0]), turn([False], [1.0], entropy=0.9), turn([True], [-3.0], risk=0.9)]
    base, wide = greedy(turns), greedy(turns)
    base.tokens[:], wide.tokens[:] = 40, 80
    played, sure = adaptive(turns, base, wide, Thresholds(tau_entropy=0.5, tau_low=-0.5, tau_p=0.5, tau_risk=0.6))
    assert sure.tolist() == [True, False, False]
    assert played.tokens.tolist() == [10, 40, 80]
    wishes = [replace(turns[0], deliberate=True)]
    for heed, tokens in ((True, 80), (False, 10)):
        assert adaptive(wishes, base, wide, Thresholds(tau_p=0.5, heed=heed))[0].tokens[0] == tokens


def test_the_margin_promises_what_it_says() -> None:
    rng = np.random.default_rng(0)
    lead = rng.random(4000) * 4
    right = rng.random(4000) < np.minimum(1.0, 0.6 + lead / 6)
    margin = smallest_margin(lead, right, 0.95)
    assert margin is not None and right[lead >= margin].mean() >= 0.95
    smaller = np.sort(lead[lead < margin])[-200]
    assert right[lead >= smaller].mean() < 0.955
    assert smallest_margin(lead, np.zeros(4000, dtype=bool), 0.95) is None
    found, rights = leads([ONE], [np.array([[1, 2]])])
    assert found.tolist() == [2.0, 2.0] and rights.tolist() == [True, True]


@pytest.mark.parametrize("knows", [False, True])
def test_a_planner_is_heeded_only_where_its_wish_is_worth_it(knows: bool) -> None:
    """On a third of the turns greedy fails and energy finds the right one; the decoder's certainty says nothing."""
    rng = np.random.default_rng(2)
    turns = []
    for at in range(300):
        hard = bool(rng.random() < 0.3)
        made = turn([not hard, True, True], [3.0, -2.0, -2.0] if hard else [-3.0, 1.0, 1.0], group=f"t{at // 3}")
        wish = hard if knows else bool(rng.random() < 0.3)
        turns.append(replace(made, p=np.full(3, 0.9), entropy=0.1, low=-0.1, deliberate=wish))
    tuned = tune(turns, ScheduleConfig(contexts="unused", draws=3, k_max=4))
    assert tuned.rules.heed == knows
    assert tuned.figures["adaptive"]["success"] == 1.0


def test_tuning_keeps_success_for_fewer_tokens_where_certainty_tells() -> None:
    """Greedy is right wherever the entropy is low; elsewhere energy finds the right one."""
    rng = np.random.default_rng(1)
    turns = []
    for at in range(300):
        hard = rng.random() < 0.3
        entropy = float(rng.uniform(0.6, 1.2) if hard else rng.uniform(0.0, 0.4))
        right = [not hard or bool(rng.random() < 0.2), *(rng.random(5) < 0.6)]
        energy = [float(rng.normal(-2 if ok else 2, 0.5)) for ok in right]
        made = turn([bool(ok) for ok in right], energy, group=f"t{at // 3}", entropy=entropy)
        turns.append(replace(made, p=np.full(6, 0.9)))  # so that only the entropy can tell
    config = ScheduleConfig(contexts="unused", draws=5)
    tuned = tune(turns, config)
    figures = tuned.figures
    assert 0.3 < tuned.rules.tau_entropy < 0.7
    assert figures["adaptive"]["tokens_of_fixed"] < 0.6
    assert figures["adaptive"]["gain"] >= -config.tolerance
    assert figures["energy, K = 4"]["success"] > figures["greedy"]["success"] + 0.1
    assert figures["adaptive, chosen on one half, checked on the other"]["tokens_of_fixed"] < 0.7
    assert tune(turns, config).rules == tuned.rules


class Lengths:
    """Energy is the length of the text."""

    def score(self, window: Window, candidates: list[Segment]) -> list[Score]:
        return [Score(energy=len(c.text), p=0.5) for c in candidates]


def context(task_id: str, *candidates: Candidate) -> Context:
    more = {"pack": "os", "intents": ("i",), "group": task_id, "domain": "editor", "window": Window(goal="g")}
    return Context.model_validate({"id": task_id, "task_id": task_id, "candidates": candidates, **more})


def test_only_the_decoders_own_candidates_are_replayed() -> None:
    own = Candidate(segment=Segment(text="ab", tokens=5, forced=2, entropy=0.7), label="pass", stratum="sampled")
    flaky = Candidate(segment=Segment(text="a", tokens=4), label="flaky", stratum="sampled")
    gold = Candidate(segment=Segment(text="gold"), label="pass", stratum="gold")
    broken = Candidate(segment=Segment(text="c"), label="infra_failure", stratum="sampled")
    turns = turns_of([context("a", own, flaky, gold), context("b", gold), context("c", own, broken)], Lengths())
    assert len(turns) == 1
    assert turns[0].passed.tolist() == [True, False]
    assert (turns[0].choices.tolist(), turns[0].energy.tolist(), turns[0].entropy) == ([3, 4], [2, 1], 0.7)


def test_test_tasks_are_refused() -> None:
    base = {"pack": "os", "family": "f", "template": "t", "intents": ("i",), "goal": "g", "gold": ()}
    checks = (AbsentCheck(path="a"),)
    tasks = [Task.model_validate({"id": s, "split": s, "checks": checks, **base}) for s in ("val", "test_names")]
    gold = Candidate(segment=Segment(text="gold"), label="pass", stratum="gold")
    refuse_test_tasks([context("val", gold)], tasks)
    with pytest.raises(InputError, match="test split"):
        refuse_test_tasks([context("test_names", gold)], tasks)
