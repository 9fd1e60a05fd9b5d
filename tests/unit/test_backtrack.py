"""Which call a failed attempt is blamed on."""

from __future__ import annotations

import math

from hybrid_agent.agent.backtrack import Backtrack, certainty
from hybrid_agent.types import Exchange, Segment, Window


def at(*calls: str) -> Window:
    return Window(goal="g", phase="step", exchanges=tuple(Exchange(call=call, obs="ok") for call in calls))


def attempt(tried: Backtrack, *calls: tuple[str, bool, float]) -> None:
    before: list[str] = []
    for text, acted, sure in calls:
        tried.note(at(*before), text, acted=acted, certainty=sure)
        before.append(text)
    tried.restart()


def test_the_least_certain_call_that_acted_is_blamed_where_it_was_made() -> None:
    tried = Backtrack()
    attempt(tried, ("look", False, 0.1), ("write", True, 0.9), ("edit", True, 0.4), ("check", True, 0.8))
    assert tried.wrong(at("look", "write")) == {"edit"}
    assert tried.wrong(at()) == tried.wrong(at("look")) == frozenset()


def test_later_attempts_add_to_what_is_known_until_the_step_is_done() -> None:
    tried = Backtrack()
    attempt(tried, ("write a", True, 0.4))
    attempt(tried, ("write b", True, 0.3))
    assert tried.wrong(at()) == {"write a", "write b"}
    tried.clear()
    assert tried.wrong(at()) == frozenset()


def test_where_nothing_acted_the_last_call_is_blamed() -> None:
    tried = Backtrack()
    attempt(tried, ("look", False, 0.1), ("look again", False, 0.9))
    assert tried.wrong(at("look")) == {"look again"}
    tried.restart()  # nothing was made: nobody is to blame
    assert tried.wrong(at()) == frozenset()


def test_certainty_is_the_scorers_word_before_the_decoders() -> None:
    assert certainty(Segment(text="t", logprob=-0.7, p=0.9)) == 0.9
    assert certainty(Segment(text="t", logprob=-0.7)) == math.exp(-0.7)
