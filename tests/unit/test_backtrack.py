"""Which call a failed attempt is blamed on."""

from __future__ import annotations

import math

import pytest

from hybrid_agent.agent.backtrack import Backtrack, certainty
from hybrid_agent.types import Exchange, Segment, Window


def at(*calls: str) -> Window:
    return Window(goal="g", phase="step", exchanges=tuple(Exchange(call=call, obs="ok") for call in calls))


def attempt(tried: Backtrack, *calls: tuple[str, bool, float]) -> None:
    before: list[str] = []
    for text, acted, sure in calls:
        tried.note(at(*before), text, acted=acted, certainty=sure)
        before.append(text)
    assert not tried.failed(may_plan=False)


def test_the_call_that_was_probably_wrong_first_is_blamed_where_it_was_made() -> None:
    tried = Backtrack()
    attempt(tried, ("look", False, 0.1), ("write", True, 0.9), ("edit", True, 0.4), ("check", True, 0.8))
    assert tried.wrong(at("look", "write")) == {"edit"}
    assert tried.wrong(at()) == tried.wrong(at("look")) == frozenset()


def test_doubt_after_a_doubtful_call_counts_less() -> None:
    tried = Backtrack()
    attempt(tried, ("write", True, 0.4), ("check", True, 0.1))  # 0.6 against 0.4 * 0.9
    assert tried.wrong(at()) == {"write"}


@pytest.mark.parametrize(("sure", "blamed"), [(0.9, False), (0.3, True)])
def test_a_doubtful_plan_is_to_blame_for_what_comes_of_it(sure: float, blamed: bool) -> None:
    tried, opening = Backtrack(), Window(goal="g", phase="plan")
    for may_plan in (False, True):
        tried.note(opening, "split", acted=False, certainty=sure)
        tried.note(at(), "write", acted=True, certainty=0.01)
        assert tried.failed(may_plan=may_plan) == (blamed and may_plan)
    assert tried.wrong(opening) == ({"split"} if blamed else frozenset())
    assert tried.wrong(at()) == {"write"}
    tried.replan()
    assert tried.wrong(opening) == {"split"}
    assert tried.wrong(at().model_copy(update={"steps": ("another",)})) == frozenset()


def test_later_attempts_add_to_what_is_known_and_done_steps_are_not_to_blame() -> None:
    tried = Backtrack()
    attempt(tried, ("write a", True, 0.4))
    attempt(tried, ("write b", True, 0.3))
    assert tried.wrong(at()) == {"write a", "write b"}
    tried.note(at(), "write c", acted=True, certainty=0.1)
    tried.step_done()
    second = at().model_copy(update={"index": 1})
    tried.note(second, "write d", acted=True, certainty=0.5)
    assert not tried.failed(may_plan=True)
    assert tried.wrong(second) == {"write d"} and tried.wrong(at()) == {"write a", "write b"}


def test_where_nothing_acted_the_last_call_is_blamed() -> None:
    tried = Backtrack()
    attempt(tried, ("look", False, 0.1), ("look again", False, 0.9))
    assert tried.wrong(at("look")) == {"look again"}
    assert not tried.failed(may_plan=False)  # nothing was made: nobody is to blame
    assert tried.wrong(at()) == frozenset()


def test_certainty_is_the_scorers_word_before_the_decoders() -> None:
    assert certainty(Segment(text="t", logprob=-0.7, p=0.9)) == 0.9
    assert certainty(Segment(text="t", logprob=-0.7)) == math.exp(-0.7)


def test_steps_that_are_more_than_one_are_remembered_once() -> None:
    tried, opening = Backtrack(), Window(goal="g", phase="plan")
    tried.note(opening, "split", acted=False, certainty=0.9)
    for _ in range(2):
        tried.replan("sort a and move b")
    assert tried.wrong_steps == ["sort a and move b"] and tried.wrong(opening) == {"split"}
