"""Branches of a greedy call: all different and valid, the likeliest first, the same for the same seed."""

from pathlib import Path

import pytest

import hybrid_agent
from hybrid_agent.decoder.batch import BatchedDecoder
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.tools.registry import call_schema, parse_call
from hybrid_agent.types import Budget, Control, Window

BUNDLE = Path(hybrid_agent.__file__).parent / "bundles" / "tiny"
STEP = Window(
    goal="sort names.txt into sorted.txt, then remove old.txt",
    phase="step",
    steps=("sort names.txt into sorted.txt", "remove old.txt"),
    files=("names.txt", "old.txt"),
)


@pytest.fixture(scope="module")
def decoders():
    return {
        first: HfDecoder.from_folder(BUNDLE, call_schema(), DecoderOptions(threads=1, greedy_first=first))
        for first in (True, False)
    }


def texts(decoder, **budget):
    return [s.text for s in decoder.propose(STEP, Budget(draw="branch", **budget), Control())]


@pytest.mark.parametrize("temperature", [0.01, 0.5, 3.0])
def test_branches_are_different_valid_calls_and_none_is_the_greedy_one(decoders, temperature):
    (greedy,) = decoders[False].propose(STEP, Budget(), Control())
    found = texts(decoders[False], k=3, temperature=temperature)
    assert len(found) == len(set(found)) == 3
    assert greedy.text not in found
    assert all(parse_call(text).tool for text in found)


def test_where_it_is_asked_for_the_greedy_call_comes_first(decoders):
    (greedy,) = decoders[True].propose(STEP, Budget(), Control())
    found = texts(decoders[True], k=4, temperature=0.01)
    assert found[0] == greedy.text
    assert found[1:] == texts(decoders[False], k=3, temperature=0.01)


def test_seed_decides_and_a_low_temperature_takes_the_likeliest(decoders):
    one = decoders[False]
    assert texts(one, k=4, temperature=2.0, seed=1) == texts(one, k=4, temperature=2.0, seed=1)
    assert len({tuple(texts(one, k=2, temperature=2.0, seed=seed)) for seed in range(8)}) > 1
    assert texts(one, k=2, temperature=0.001, seed=1) == texts(one, k=2, temperature=0.001, seed=2)


def test_tokens_are_counted_the_same_with_the_greedy_text_at_hand_or_not(decoders):
    one, budget = decoders[False], Budget(k=6, temperature=0.5, draw="branch")
    one.forget()
    (greedy,) = one.propose(STEP, Budget(), Control())
    assert one.spent[0] >= greedy.tokens
    found = one.propose(STEP, budget, Control())
    at_hand = one.spent
    assert 0 < at_hand[0] < sum(segment.tokens for segment in found)  # what they share with the greedy one is there
    one.forget()
    one.propose(STEP, budget, Control())
    assert one.spent == at_hand


def test_a_clear_case_ends_the_turn(decoders):
    told = []
    decoders[False].propose(
        STEP, Budget(k=6, temperature=0.5, draw="branch"), Control(), lambda segment: told.append(segment) or True
    )
    assert len(told) == 1


def test_without_a_branch_worth_writing_the_greedy_call_is_the_answer(decoders, monkeypatch):
    monkeypatch.setattr("hybrid_agent.decoder.branches.FAR", 0.0)
    decoders[False].forget()
    (greedy,) = decoders[False].propose(STEP, Budget(), Control())
    assert texts(decoders[False], k=3, temperature=0.5) == [greedy.text]


def test_a_batch_of_callers_gets_the_same_branches(decoders):
    with BatchedDecoder.from_folder(BUNDLE, call_schema(), DecoderOptions(threads=1, greedy_first=False)) as batched:
        for seed in range(3):
            budget = Budget(k=5, temperature=0.7, seed=seed, draw="branch")
            alone = decoders[False].propose(STEP, budget, Control())
            assert [s.text for s in batched.propose(STEP, budget, Control())] == [s.text for s in alone]
            assert batched.spent == decoders[False].spent
