"""Many callers in one batch: each gets what it would get alone; rows come and go; nobody waits for anybody's watch."""

import functools
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hybrid_agent.constrain import Lexicon
from hybrid_agent.decoder.batch import BatchedDecoder, BatchOptions
from hybrid_agent.decoder.engine import Sampling
from hybrid_agent.decoder.experts import ExpertLibrary
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.kv import common
from hybrid_agent.decoder.live import Abandoned, Live, watched
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.errors import Cancelled, InfraError, InputError, Overloaded
from hybrid_agent.nn.adapters import adapter_of
from hybrid_agent.nn.rows import CachedRows
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control, Exchange, Window
from tests.unit.decoder_models import model, tokenizer
from tests.unit.test_adapters import trained

SCHEMA = call_schema()
LEXICON = Lexicon(words=("true",), text=("done",), shell=("cp", "-r"), code=("print",))
SAMPLED = Budget(k=4, temperature=1.3, max_tokens=40, expert_depth=2)
GREEDY = Budget(max_tokens=40, expert_depth=2)


def window(number):
    goal = f"copy report{number}.txt to vault, then write 'two plums' into pear/list{number}.txt"
    if number % 3 == 0:
        return Window(goal=goal)
    steps = (f"copy report{number}.txt to vault", f"write 'two plums' into pear/list{number}.txt")
    return Window(goal=goal, phase="step", steps=steps, files=(f"report{number}.txt", "vault/"), index=number % 2)


def plain(experts=None):
    return HfDecoder(model(), tokenizer(), SCHEMA, LEXICON, DecoderOptions(), experts=experts)


@functools.cache
def one():
    return plain()


def alone(number, budget):
    """What the decoder alone writes from an empty cache."""
    one().forget()
    return one().propose(window(number) if isinstance(number, int) else number, budget, Control())


@pytest.fixture(scope="module")
def adapters():
    return {name: adapter_of(trained(20 + i)) for i, name in enumerate(("python", "shell"))}


@pytest.fixture
def batched():
    with BatchedDecoder(plain(), BatchOptions(rows=16)) as made:
        yield made
        if made.loop._thread.is_alive():
            assert made.loop.slots.free == len(made.loop.slots.slots), "rows were not given back"


def at_once(calls):
    """Run all calls at the same time; their results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [found.result(timeout=300) for found in [threads.submit(run, call) for call in calls]]


def assert_same(found, expected):
    assert [s.text for s in found] == [s.text for s in expected]
    for a, b in zip(found, expected, strict=True):
        assert (a.tokens, a.forced, a.complete, a.expert) == (b.tokens, b.forced, b.complete, b.expert)
        assert (a.logprob, a.entropy, a.low) == pytest.approx((b.logprob, b.entropy, b.low), abs=1e-3)


def test_callers_get_what_each_would_get_alone_with_experts_and_early_ends(adapters):
    def session(decoder, number):
        """Two turns: a greedy candidate and three more, then a longer window; some stop at the first or second."""
        found, told = [], []
        prior = [{}, {"python": 0.9, "shell": 0.1}, {"python": 0.5, "shell": 0.5}][number % 3]
        control = Control(expert_prior=prior, tool_prior={"fs": 0.6, "shell": 0.4} if number % 2 else {})
        stop_at = [99, 1, 2, 99][number % 4]

        def watch(segment):
            told.append(segment.text)
            return len(told) >= stop_at

        first = window(number)
        budget = SAMPLED.model_copy(update={"seed": number})
        found += decoder.propose(first, GREEDY, control)
        found += decoder.propose(first, budget, control, watch)
        spent = decoder.spent
        longer = first.model_copy(update={"exchanges": (Exchange(call=found[-1].text, obs="ok\nfine"),)})
        found += decoder.propose(longer, budget, control)
        return found, told, spent

    single = plain(ExpertLibrary(model(), adapters))
    expected = [session(single, number) for number in range(6)]
    with BatchedDecoder(plain(ExpertLibrary(model(), adapters)), BatchOptions(rows=16)) as shared:
        for _ in range(2):  # from an empty cache and from a full one
            found = at_once([lambda number=number: session(shared, number) for number in range(6)])
            for (mine, told, spent), (wanted, told_alone, spent_alone) in zip(found, expected, strict=True):
                assert_same(mine, wanted)
                assert (told, spent) == (told_alone, spent_alone)
        assert shared.loop.row_steps > 2 * shared.loop.steps
        assert shared.loop.slots.free == len(shared.loop.slots.slots)
    assert len({segment.expert for mine, _, _ in expected for segment in mine}) == 3


def test_models_of_any_kind_are_served():
    made = plain()
    made.engine.model = CachedRows(model())
    expected = [alone(n, SAMPLED) for n in range(3)]
    with BatchedDecoder(made, BatchOptions(rows=12)) as shared:
        calls = [lambda n=n: shared.propose(window(n), SAMPLED, Control()) for n in range(3)]
        for mine, wanted in zip(at_once(calls), expected, strict=True):
            assert_same(mine, wanted)


def test_prefixes_are_kept_between_calls_while_others_write_and_given_up_when_rows_run_out():
    def turns(shared, others):
        """Of the prompt of a session's second call: tokens that were read, all of them, and those of the first call's.

        Other calls come in between.
        """
        first = window(1)
        (said,) = shared.propose(first, GREEDY, Control())
        for number in range(others):
            shared.propose(window(20 + number), GREEDY, Control())
        longer = first.model_copy(update={"exchanges": (Exchange(call=said.text, obs="ok\nfine"),)})
        before = shared.loop.prompt_read
        assert_same(shared.propose(longer, GREEDY, Control()), alone(longer, GREEDY))
        whole, begun = (len(shared.decoder.encode(each, 40)[0]) for each in (longer, first))
        return shared.loop.prompt_read - before, whole, begun

    with BatchedDecoder(plain(), BatchOptions(rows=8)) as shared:
        assert len(shared.loop.slots.slots) == 32
        read, whole, begun = turns(shared, others=6)
        assert begun > 30 and read < whole - begun + 16  # what must be written first is read with it
    few = BatchOptions(rows=2, cache_mb=1)  # 2 layers x 48 x 2 x 4 bytes x 256 positions is 192 KiB a row
    with BatchedDecoder(plain(), few) as shared:
        assert len(shared.loop.slots.slots) == 5
        read, whole, begun = turns(shared, others=6)
        # Its own rows are gone; the beginning that all these prompts share may still lie in another one.
        prompts = [shared.decoder.encode(window(number), 40)[0] for number in (1, *range(20, 26))]
        alike = max(common(prompts[0], other) for other in prompts[1:])
        assert alike < begun - 8
        assert read >= whole - alike


def test_a_watch_holds_its_own_call_only_and_no_more_is_taken_on_than_fits():
    options = BatchOptions(rows=4, waiting=1)
    with BatchedDecoder(plain(), options) as shared, ThreadPoolExecutor(4) as threads:
        inside, go_on = threading.Event(), threading.Event()

        def slow(segment):
            inside.set()
            return not go_on.wait(300)

        held = threads.submit(shared.propose, window(1), SAMPLED.model_copy(update={"k": 2}), Control(), slow)
        assert inside.wait(300)
        # Another one comes and goes meanwhile.
        assert_same(shared.propose(window(2), GREEDY, Control()), alone(2, GREEDY))
        waits = threads.submit(shared.propose, window(4), SAMPLED, Control())  # four rows, which are not there
        while not shared.loop._pending:
            assert not waits.done()
        with pytest.raises(Overloaded, match="1 calls waiting"):
            shared.propose(window(5), GREEDY, Control())
        with pytest.raises(InputError, match="5 candidates do not fit into 4 rows"):
            shared.propose(window(5), SAMPLED.model_copy(update={"k": 5}), Control())
        go_on.set()
        assert_same(held.result(300), alone(1, SAMPLED.model_copy(update={"k": 2})))
        assert_same(waits.result(300), alone(4, SAMPLED))


def test_calls_are_given_up_one_by_one(batched):
    expected = alone(2, SAMPLED)
    polls = iter(range(10**6))

    def given_up():
        with pytest.raises(Cancelled):
            batched.propose(window(1), SAMPLED, Control(), cancel=lambda: next(polls) > 3)

    def looked_on():
        with pytest.raises(Abandoned), watched(Live(lambda: True)):
            batched.propose(window(4), SAMPLED, Control())

    def breaks():
        def watch(segment):
            raise KeyError("watch")

        with pytest.raises(KeyError, match="watch"):
            batched.propose(window(5), SAMPLED, Control(), watch)

    def wrong():
        def bias(written):
            raise RuntimeError("bias")

        with pytest.raises(RuntimeError, match="bias"):
            batched.engine().write([5, 6, 7], Sampling(), bias=bias)
        with pytest.raises(ValueError, match="does not fit"):
            batched.engine().write([5] * 256, Sampling())

    results = at_once([given_up, looked_on, breaks, wrong, lambda: batched.propose(window(2), SAMPLED, Control())])
    assert_same(results[-1], expected)
    assert next(polls) < 20
    batched.forget()  # after all that went before: the loop has heard of every end


def test_unfinished_texts_are_told_in_the_callers_thread(batched):
    parts = []
    with watched(Live(lambda: False, lambda n, tokens: parts.append((n, tokens, threading.get_ident())))):
        (draft,) = batched.engine().write([5, 6, 7], Sampling(max_tokens=100), bias=lambda written: {1: -99.0})
    assert len(draft.tokens) == 100
    assert [len(tokens) for _, tokens, _ in parts] == [40, 80]
    assert all((n, draft.tokens[: len(t)], who) == (0, t, threading.get_ident()) for n, t, who in parts)
    told = []
    budget = Budget(max_tokens=90, temperature=1.3, k=8)
    found = batched.propose(window(3), budget, Control(), partial=lambda n, text: told.append(text))
    texts = [segment.text for segment in found if segment.tokens > 70]
    assert told and all(any(text.startswith(part) for part in told) for text in texts)


def test_what_follows_a_text_is_that_of_the_engine_alone(batched):
    engine = one().engine
    for text in ([5, 6, 7, 8], [5, 6, 7, 8, 9, 10], [5, 6]):
        assert batched.engine().after(text) == pytest.approx(engine.after(text), abs=1e-4)


def test_closing_ends_every_call():
    shared = BatchedDecoder(plain(), BatchOptions(rows=4))
    inside = threading.Event()
    with ThreadPoolExecutor(2) as threads:

        def closes(segment):
            inside.set()
            closing.result(300)
            return False

        closing = threads.submit(lambda: inside.wait(300) and shared.close())
        with pytest.raises(InfraError, match="closed"):
            shared.propose(window(1), SAMPLED, Control(), closes)
    with pytest.raises(InfraError, match="closed"):
        shared.propose(window(1), GREEDY, Control())
    shared.close()
    assert not shared.loop._thread.is_alive()


def test_random_companies_change_nothing(batched):
    """The same calls in other orders and at other times: the same texts."""
    rng = random.Random(4)
    expected = {n: alone(n, SAMPLED.model_copy(update={"seed": n})) for n in range(6)}
    for _ in range(3):
        order = [n for n in range(6) for _ in range(2)]
        rng.shuffle(order)

        def call(n):
            return n, batched.propose(window(n), SAMPLED.model_copy(update={"seed": n}), Control())

        for n, found in at_once([lambda n=n: call(n) for n in order]):
            assert_same(found, expected[n])
