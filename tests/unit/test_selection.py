"""Selection: what is drawn, scored, stopped early, vetoed and counted."""

from __future__ import annotations

import pytest
from selection_parts import WINDOW, Energies, Urn, segment, write

from hybrid_agent.agent.select import SelectOptions, Selector
from hybrid_agent.config.hybrid import Thresholds
from hybrid_agent.planner.schedule import Scheduler
from hybrid_agent.types import Budget, Control

A, B, C, D = (write(name) for name in "abcd")
FOUR = (segment(A, -1), segment(B, -2), segment(C, -3), segment(D, -4))
ENERGIES = {A: 1.0, B: 3.0, C: -2.0, D: 0.0}
SAMPLED = Budget(k=4, temperature=0.8)


def test_greedy_takes_the_only_candidate_and_scores_nothing() -> None:
    scorer = Energies(ENERGIES)
    urn = Urn(*FOUR)
    chosen = Selector(urn, scorer).choose(WINDOW, Control())
    assert (chosen.best.text, chosen.effort.k, chosen.effort.tokens) == (A, 1, 10)
    assert scorer.batches == []
    assert urn.budgets[0].temperature == 0


@pytest.mark.parametrize(("rank", "lm_weight", "best"), [("energy", 0.0, C), ("logprob", 0.0, A), ("energy", 10.0, A)])
def test_the_ranking_decides(rank: str, lm_weight: float, best: str) -> None:
    options = SelectOptions(rank=rank, lm_weight=lm_weight)  # type: ignore[arg-type]
    chosen = Selector(Urn(*FOUR), Energies(ENERGIES), None, options, budget=SAMPLED).choose(WINDOW, Control())
    assert chosen.best.text == best
    assert (chosen.effort.k, chosen.effort.drawn, chosen.effort.tokens, chosen.effort.forced) == (4, 4, 40, 16)


def test_log_probability_per_choice_does_not_favour_the_short() -> None:
    long = segment(B, -3.0).model_copy(update={"tokens": 100})
    urn = Urn(segment(A, -1.0), long)
    budget = Budget(k=2, temperature=1.0)
    for rank, best in (("logprob", A), ("mean_logprob", B)):
        chosen = Selector(urn, options=SelectOptions(rank=rank), budget=budget)  # type: ignore[arg-type]
        assert chosen.choose(WINDOW, Control()).best.text == best


def test_ties_go_to_the_likelier_and_unfinished_texts_come_last() -> None:
    same = Energies(dict.fromkeys((A, B, C), 1.0))
    urn = Urn(segment(B, -2), segment(A, -1))
    budget = Budget(k=2, temperature=1.0)
    assert Selector(urn, same, budget=budget).choose(WINDOW, Control()).best.text == A
    torn = segment(C, -0.1).model_copy(update={"complete": False})
    assert Selector(Urn(torn, segment(A, -1)), same, budget=budget).choose(WINDOW, Control()).best.text == A


@pytest.mark.parametrize("tells", [True, False])
def test_repeats_are_merged_but_paid_for(tells: bool) -> None:
    urn = Urn(segment(A), segment(A), segment(B), tells=tells)
    chosen = Selector(urn, Energies(ENERGIES), budget=Budget(k=3, temperature=1.0)).choose(WINDOW, Control())
    assert [c.text for c in chosen.candidates] == [A, B]
    assert chosen.effort.tokens == 30


def test_a_clear_lead_cancels_the_rest() -> None:
    options = SelectOptions(margin=2.5, min_scored=2)
    scorer = Energies(ENERGIES)
    chosen = Selector(Urn(*FOUR), scorer, None, options, budget=SAMPLED).choose(WINDOW, Control())
    # B (3.0) and C (-2.0) come first: C leads by 5.
    assert (chosen.best.text, chosen.effort.early, chosen.effort.drawn, chosen.effort.cancelled) == (C, True, 2, 2)
    assert scorer.batches == [2]
    patient = SelectOptions(margin=2.5, min_scored=4)
    chosen = Selector(Urn(*FOUR), Energies(ENERGIES), None, patient, budget=SAMPLED).choose(WINDOW, Control())
    assert (chosen.effort.cancelled, len(chosen.candidates)) == (0, 4)


def test_adaptive_stops_at_a_sure_call_and_goes_on_from_an_unsure_one() -> None:
    rules = Thresholds(k_base=3, tau_entropy=0.3, tau_p=0.3)
    scheduler = Scheduler(rules)
    sure = Selector(Urn(*FOUR), Energies(ENERGIES), scheduler).choose(WINDOW, Control())
    assert (sure.schedule.why, sure.effort.k, sure.best.text) == ("fast", 1, A)
    unsure = Urn(segment(A, entropy=0.9), *FOUR[1:])
    chosen = Selector(unsure, Energies(ENERGIES), scheduler).choose(WINDOW, Control())
    assert (chosen.schedule.why, chosen.effort.k, chosen.best.text) == ("base", 3, C)
    assert [b.k for b in unsure.budgets] == [1, 2]
    # Sure of itself, but the energy model is not: that too is a reason to go on.
    doubted = Selector(Urn(*FOUR), Energies({**ENERGIES, A: 4.0}), scheduler).choose(WINDOW, Control())
    assert (doubted.schedule.why, doubted.best.text) == ("base", C)


def test_risk_doubles_the_width_and_asks_the_decoder_to_deliberate() -> None:
    urn = Urn(*FOUR)
    scheduler = Scheduler(Thresholds(k_base=2, k_max=3, tau_risk=0.5), draft=True)
    chosen = Selector(urn, Energies(ENERGIES), scheduler).choose(WINDOW, Control(risk=0.9))
    assert (chosen.schedule.why, chosen.effort.k) == ("risk", 3)
    assert all(control.deliberate for control in urn.controls)
    assert not any(budget.speculate for budget in urn.budgets)
    assert urn.budgets[-1].expert_depth == 2


def test_turns_draw_with_their_own_seed_and_the_same_turn_draws_the_same() -> None:
    seeds = []
    for turn in (1, 2, 2):
        urn = Urn(*FOUR)
        Selector(urn, budget=SAMPLED).choose(WINDOW, Control(), turn=turn)
        seeds.append(urn.budgets[0].seed)
    assert seeds[0] != seeds[1] == seeds[2]


VETO = SelectOptions(veto=0.05)


def test_a_vetoed_call_gives_way_to_one_that_is_not() -> None:
    # By log-probability A leads; its p (0.0) is below the veto.
    options = SelectOptions(rank="logprob", veto=0.05)
    scorer = Energies({A: 9.0, B: 1.0, C: 0.0, D: 0.0})
    chosen = Selector(Urn(*FOUR), scorer, None, options, budget=SAMPLED).choose(WINDOW, Control())
    assert (chosen.best.text, chosen.replaced, chosen.refused, chosen.effort.vetoed) == (B, True, False, 1)


def test_when_all_are_vetoed_it_draws_once_more_then_says_so() -> None:
    urn = Urn(*FOUR)
    scorer = Energies({A: 9.0, B: 1.0, C: 9.0, D: 9.0})
    chosen = Selector(urn, scorer, None, VETO).choose(WINDOW, Control())
    assert (chosen.best.text, chosen.refused) == (B, False)
    assert [b.k for b in urn.budgets] == [1, 3] and urn.budgets[1].temperature > 0
    assert urn.controls[1].deliberate
    hopeless = Selector(Urn(*FOUR), Energies(dict.fromkeys((A, B, C, D), 9.0)), None, VETO).choose(WINDOW, Control())
    assert hopeless.refused and hopeless.effort.vetoed == 4


def test_calls_that_change_nothing_are_never_vetoed() -> None:
    plan = '{"tool":"plan","args":{"op":"set","steps":["a"]}}'
    chosen = Selector(Urn(segment(plan)), Energies({plan: 9.0}), None, VETO).choose(WINDOW, Control())
    assert (chosen.best.text, chosen.refused, chosen.effort.k) == (plan, False, 1)
    looking = Selector(Urn(*FOUR), Energies({A: 9.0}), None, VETO, changes=lambda call: False)
    assert looking.choose(WINDOW, Control()).effort.vetoed == 0
