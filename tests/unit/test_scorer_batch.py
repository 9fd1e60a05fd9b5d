"""Scores of many callers at once are those of each alone."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from test_scorer_model import SEGMENTS, WINDOW, energy_model, folder  # noqa: F401

from hybrid_agent.errors import Cancelled, InfraError, Overloaded
from hybrid_agent.scorer.batch import BatchedScorer, ScoreBatchOptions
from hybrid_agent.scorer.energy import EnergyScorer
from hybrid_agent.types import Exchange, Segment, Verdict, Window


def windows(count):
    """Windows of several sessions; every second one goes on from the one before."""
    found = []
    for number in range(count):
        clause = f"copy file{number // 2}.txt to vault{number // 2}"
        window = Window(goal=clause, phase="step", steps=(clause,), files=(f"file{number // 2}.txt",))
        if number % 2:
            window = window.model_copy(update={"exchanges": (Exchange(call=SEGMENTS[0].text, obs="ok\nhello"),)})
        found.append(window)
    return found


def candidates(number):
    """One to five calls of different lengths."""
    rng = random.Random(number)
    many = [
        *SEGMENTS,
        Segment(text='{"tool":"ask","args":{"question":"%s"}}' % ("which " * rng.randint(1, 40))),
        Segment(text='{"tool":"finish","args":{"status":"done","summary":"ok"}}'),
    ]
    return rng.sample(many, rng.randint(1, 5))


def at_once(calls):
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [found.result(timeout=300) for found in [threads.submit(run, call) for call in calls]]


@pytest.mark.parametrize("options", [ScoreBatchOptions(wait_ms=200), ScoreBatchOptions(windows=2, candidates=4)])
def test_energies_are_those_of_the_scorer_alone(folder, options):  # noqa: F811
    asked = [(window, candidates(number)) for number, window in enumerate(windows(8))]
    expected = [EnergyScorer.load(folder).score(*asked[0])]
    single = EnergyScorer.load(folder)
    expected += [single.score(*one) for one in asked[1:]]
    with BatchedScorer(EnergyScorer.load(folder), options) as shared:
        for _ in range(2):
            found = at_once([lambda one=one: shared.score(*one) for one in asked])
            for mine, alone in zip(found, expected, strict=True):
                assert [s.energy for s in mine] == pytest.approx([s.energy for s in alone], abs=1e-5)
                assert [s.p for s in mine] == pytest.approx([s.p for s in alone], abs=1e-5)
        assert shared.requests == 16
        if options.wait_ms > 100:
            assert shared.batches <= 6
        veto = shared.veto(WINDOW, SEGMENTS[0])
        assert veto.score.energy == pytest.approx(single.veto(WINDOW, SEGMENTS[0]).score.energy, abs=1e-5)
        assert shared.head(SEGMENTS[0].text) == single.head(SEGMENTS[0].text)
        assert shared.score(WINDOW, []) == []


def test_a_stock_trunk_is_batched_too(folder):  # noqa: F811
    asked = [(window, candidates(number)) for number, window in enumerate(windows(4))]
    single = EnergyScorer.load(folder)
    expected = [single.score(*one) for one in asked]
    stock = EnergyScorer.load(folder)
    stock.text._lean = None
    with BatchedScorer(stock, ScoreBatchOptions(wait_ms=200)) as shared:
        found = at_once([lambda one=one: shared.score(*one) for one in asked])
    for mine, alone in zip(found, expected, strict=True):
        assert [s.energy for s in mine] == pytest.approx([s.energy for s in alone], abs=1e-4)


def test_candidates_that_do_not_fit_into_a_row_are_scored_in_several(folder):  # noqa: F811
    long = [Segment(text='{"tool":"ask","args":{"question":"%s"}}' % (f"{n} why not " * 60)) for n in range(9)]
    single = EnergyScorer.load(folder)
    apart = np.concatenate([EnergyScorer.load(folder).energies(WINDOW, [one]) for one in long])
    np.testing.assert_allclose(single.energies(WINDOW, long), apart, atol=1e-5)


def test_each_caller_has_its_own_gate(folder):  # noqa: F811
    torch.manual_seed(0)
    refused = Verdict(allow=False, rule="no", reason="no")
    single = EnergyScorer.load(folder)
    free = single.score(WINDOW, SEGMENTS)
    single.judge = lambda call: refused
    gated = single.score(WINDOW, SEGMENTS)
    assert [s.energy for s in free] != pytest.approx([s.energy for s in gated], abs=1e-3)
    with BatchedScorer(EnergyScorer.load(folder)) as shared:
        calls = [lambda judge=judge: shared.score(WINDOW, SEGMENTS, judge=judge) for judge in (None, single.judge) * 3]
        for mine, alone in zip(at_once(calls), [free, gated] * 3, strict=True):
            assert [s.energy for s in mine] == pytest.approx([s.energy for s in alone], abs=1e-5)


def test_requests_end_when_given_up_refused_broken_or_closed(folder):  # noqa: F811
    with BatchedScorer(EnergyScorer.load(folder), ScoreBatchOptions(waiting=1)) as shared:
        with pytest.raises(Cancelled):
            shared.score(WINDOW, SEGMENTS, cancel=lambda: True)
        with pytest.raises(KeyError, match="gate"):
            shared.score(WINDOW, SEGMENTS, judge=lambda call: {}["gate"])
        inside, go_on = threading.Event(), threading.Event()

        def slow(call):
            inside.set()
            go_on.wait(300)

        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(shared.score, WINDOW, SEGMENTS, judge=slow)
            assert inside.wait(300)
            with pytest.raises(Overloaded):
                shared.score(WINDOW, SEGMENTS)
            go_on.set()
            assert len(first.result(300)) == 3
        assert len(shared.score(WINDOW, SEGMENTS)) == 3
    with pytest.raises(InfraError, match="closed"):
        shared.score(WINDOW, SEGMENTS)
    shared.close()
