"""Speculative decoding: faster, never different."""

import random
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare

from hybrid_agent.config.model import ModelConfig
from hybrid_agent.constrain import grammar
from hybrid_agent.decoder.choose import choices
from hybrid_agent.decoder.engine import Sampling, SegmentEngine
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.decoder.speculate import Guess, Place, PromptLookup, SmallModel, Speculator, verify
from hybrid_agent.errors import InputError
from hybrid_agent.nn.build import build_model
from hybrid_agent.nn.lean import LeanLlama
from hybrid_agent.nn.rows import CachedRows
from hybrid_agent.nn.tokenizer import save_tokenizer, train_tokenizer
from hybrid_agent.packs import words
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control, Window
from tests.unit.decoder_models import model, tokenizer

SCHEMA = {
    "type": "object",
    "properties": {
        "tool": {"enum": ["copy", "count", "remove", "rename"]},
        "path": {"enum": ["notes/report.txt", "notes/readme.txt", "a b", "a c"]},
        "text": {"type": "string", "maxLength": 12},
    },
    "required": ["tool", "path", "text"],
    "additionalProperties": False,
}


def small():
    config = ModelConfig(d_model=16, layers=1, heads=2, d_mlp=32, context=256, init_std=0.15)
    return LeanLlama(build_model(config, vocab_size=600, pad_id=0, end_id=1, seed=8).eval())


class Blurred(LeanLlama):
    """The target itself, half hidden by noise: many good guesses and many bad ones."""

    noise = 1.5

    def forward(self, rows, tokens, starts):
        logits = super().forward(rows, tokens, starts)
        rng = np.random.default_rng(sum(tokens[0]) + starts[0])
        return logits + self.noise * logits.new_tensor(rng.standard_normal(logits.shape))


class Repeats:
    """Always guesses the lowest allowed token."""

    name = "repeats"

    def guess(self, place: Place):
        ids = choices(np.zeros(600, np.float32), place.mask).ids
        return Guess(int(ids[0]) if ids is not None else 5)


SOURCES = {
    "lookup": lambda: [PromptLookup(shortest=1)],
    "small": lambda: [SmallModel(small(), sure=0.0)],
    "blurred": lambda: [SmallModel(Blurred(model()), sure=0.0)],
    "repeats": lambda: [Repeats()],
    "itself": lambda: [SmallModel(LeanLlama(model()), sure=0.0)],
    "all": lambda: [PromptLookup(), SmallModel(Blurred(model())), Repeats()],
}


def prompts(count):
    rng = random.Random(4)
    for _ in range(count):
        text = " ".join(rng.choices(words.TRAIN, k=rng.randint(3, 25)))
        yield tokenizer().backend_tokenizer.encode(text).ids


@pytest.mark.parametrize("source", ["lookup", "small", "blurred", "itself", "all"])
@pytest.mark.parametrize("rows", [LeanLlama, CachedRows])
@pytest.mark.parametrize("constrained", [True, False])
def test_greedy_texts_are_those_of_the_plain_engine(source, rows, constrained):
    constraint = grammar(SCHEMA, tokenizer(), vocab_size=600).matcher if constrained else None
    plain, fast = SegmentEngine(rows(model()), 1), SegmentEngine(rows(model()), 1)
    speculator = Speculator(SOURCES[source](), length=4, least=0.0)
    bias = {token: 0.7 for token in range(0, 600, 5)}
    shift = np.random.default_rng(1).standard_normal(600).astype(np.float32)
    for prompt in prompts(50 if rows is LeanLlama and constrained else 5):
        how = Sampling(max_tokens=30)
        (a,) = plain.write(prompt, how, constraint, lambda written: bias, shift=shift)
        (b,) = fast.write(prompt, how, constraint, lambda written: bias, shift=shift, speculator=speculator)
        assert (a.tokens, a.complete, a.forced) == (b.tokens, b.complete, b.forced)
        assert (a.logprob, a.entropy, a.low) == pytest.approx((b.logprob, b.entropy, b.low), abs=1e-3)
        assert b.forwards <= a.forwards
        # What the cache holds after rejections serves the next prompt.
        (c,) = plain.write([*prompt, *a.tokens, 300, 301], how, constraint)
        (d,) = fast.write([*prompt, *a.tokens, 300, 301], how, constraint)
        assert c.tokens == d.tokens and fast.reused >= len(prompt)
    stats = speculator.stats
    assert sum(stats.proposed.values()) > 0
    if source == "itself":
        assert stats.rate == 1.0
    if source in ("blurred", "all"):
        assert 0.02 < stats.rate < 0.98


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("certain", [True, False])
def test_a_verified_token_has_the_probability_of_the_target(temperature, certain):
    rng = np.random.default_rng(7)
    target = choices(rng.standard_normal(64).astype(np.float32) * 2, np.array([0b1011101, 0b11], np.int32))
    draft = choices(rng.standard_normal(64).astype(np.float32) * 2, np.array([0b1011101, 0b11], np.int32))
    counts, kept = Counter(), 0
    for _ in range(6000):
        at = draft.best if certain else draft.draw(temperature, rng)
        guess = Guess(int(draft.ids[at]), None if certain else draft.heated(temperature))
        picked, good = verify(target, guess, temperature, rng)
        counts[picked.token] += 1
        kept += good
        assert good == (picked.token == guess.token)
    expected = target.heated(temperature) * 6000
    enough = expected > 5
    assert chisquare([counts[int(i)] for i in target.ids[enough]], expected[enough], sum_check=False).pvalue > 0.001
    wanted, drawn = target.heated(temperature), draft.heated(temperature)
    rate = wanted[draft.best] if certain else np.minimum(wanted, drawn).sum()
    assert kept / 6000 == pytest.approx(rate, abs=0.03)


@pytest.mark.parametrize("source", ["repeats", "blurred"])
def test_sampled_texts_have_the_same_distribution(source):
    compiled, (prompt,) = grammar(SCHEMA, tokenizer(), vocab_size=600), prompts(1)
    fast, plain = SegmentEngine(LeanLlama(model()), 1), SegmentEngine(LeanLlama(model()), 1)
    speculator = Speculator(SOURCES[source](), length=4, least=0.0)
    counts = [Counter(), Counter()]
    ends = [Counter(), Counter()]
    for seed in range(400):
        for side, (engine, extra) in enumerate(((plain, {}), (fast, {"speculator": speculator}))):
            how = Sampling(max_tokens=14, temperature=1.0, seed=2 * seed + side)
            (draft,) = engine.write(prompt, how, compiled.matcher, **extra)
            counts[side][tuple(draft.tokens[:7])] += 1
            ends[side][draft.tokens[-1]] += 1
    assert sum(speculator.stats.accepted.values()) > 40
    assert sum(speculator.stats.proposed.values()) - sum(speculator.stats.accepted.values()) > 40
    for one, other in (counts, ends):
        often = [key for key, n in (one + other).most_common(12) if n > 20]
        table = [[side[key] for key in often] + [400 - sum(side[key] for key in often)] for side in (one, other)]
        assert len(often) > 2
        assert chi2_contingency(np.array(table)[:, np.array(table).sum(0) > 0]).pvalue > 0.001


def test_lookup_copies_what_followed_the_longest_run():
    def guess(text, mask=None, **options):
        place = Place(text, mask, None, None, 0.0, np.random.default_rng(0))
        return PromptLookup(**options).guess(place)

    assert guess([7, 8, 9, 1, 5, 8, 9, 2, 7, 8, 9]) == Guess(1)
    assert guess([8, 9, 1, 5, 8, 9, 2, 8, 9]) == Guess(2)  # of equals the last
    assert guess([3, 9, 1, 8, 9]) is None
    assert guess([3, 9, 1, 8, 9], shortest=1) == Guess(1)
    only_one = np.zeros(19, np.int32)
    only_one[0] = 0b10
    assert guess([8, 9, 1, 5, 8, 9, 2, 8, 9], only_one) == Guess(1)  # 2 is not allowed
    only_one[0] = 0b1000
    assert guess([8, 9, 1, 5, 8, 9, 2, 8, 9], only_one) is None


def test_bad_guesses_switch_it_off_until_the_next_episode_or_a_while_later():
    compiled, (prompt,) = grammar(SCHEMA, tokenizer(), vocab_size=600), prompts(1)
    engine = SegmentEngine(LeanLlama(model()), 1)
    one = Speculator([Repeats()], length=4, recent=16, least=0.5, retry=5)
    on = []
    for _ in range(12):
        on.append(one.ready("a"))
        if on[-1]:
            engine.write(prompt, Sampling(max_tokens=30, temperature=1.0), compiled.matcher, speculator=one)
    first = on.index(False)
    assert first > 0 and on[first : first + 6] == [False] * 5 + [True]
    assert one.stats.switched_off >= 1
    while one.ready("a"):
        engine.write(prompt, Sampling(max_tokens=30, temperature=1.0), compiled.matcher, speculator=one)
    assert not one.ready("a") and one.ready("b")
    assert not Speculator([]).ready("a")


def test_several_rows_are_written_without():
    compiled, (prompt,) = grammar(SCHEMA, tokenizer(), vocab_size=600), prompts(1)
    one, how = Speculator([Repeats()]), Sampling(k=3, temperature=1.0)
    drafts = SegmentEngine(LeanLlama(model()), 1).write(prompt, how, compiled.matcher, speculator=one)
    again = SegmentEngine(LeanLlama(model()), 1).write(prompt, how, compiled.matcher)
    assert [d.tokens for d in drafts] == [d.tokens for d in again]
    assert one.stats.rounds == 0


def test_it_ends_with_the_context():
    prompt = [300 + i % 200 for i in range(250)]
    one = Speculator([PromptLookup(shortest=1), Repeats()], least=0.0)
    fast = SegmentEngine(LeanLlama(model()), 1).write(prompt, Sampling(max_tokens=500), speculator=one)
    plain = SegmentEngine(LeanLlama(model()), 1).write(prompt, Sampling(max_tokens=500))
    assert fast[0].tokens == plain[0].tokens


STEP = Window(goal="g", phase="step", steps=("copy report.txt to vault",), files=("report.txt", "vault/"))


def test_the_decoder_speculates_only_where_it_may_and_writes_the_same():
    plain = HfDecoder(model(), tokenizer(), call_schema())
    fast = HfDecoder(model(), tokenizer(), call_schema(), draft=model(), options=DecoderOptions(sure=0.0))
    for text in ("copy report.txt to vault", "remove it", "list all the files of the vault"):
        window = STEP.model_copy(update={"steps": (text,), "goal": text})
        budget = Budget(max_tokens=60)
        before = fast.speculator.stats.rounds
        assert [s.text for s in fast.propose(window, budget, Control())] == [
            s.text for s in plain.propose(window, budget, Control())
        ]
        assert fast.speculator.stats.rounds == before
        (segment,) = fast.propose(window, budget.model_copy(update={"speculate": True}), Control())
        plain.forget()  # what was written a moment ago is not written again
        assert segment.text == plain.propose(window, budget, Control())[0].text
        assert fast.speculator.stats.rounds > before
        assert fast.spent == plain.spent == (segment.tokens, segment.forced)
    assert fast.speculator.stats.rate > 0.5  # the draft is the target itself


def test_a_draft_of_another_tokenizer_is_refused(tmp_path):
    for name, size in (("same", 600), ("other", 590)):
        save_tokenizer(tokenizer() if size == 600 else train_tokenizer(["some other words"] * 9, 560), tmp_path / name)
        model().save_pretrained(str(tmp_path / name))
    made = HfDecoder.from_folder(tmp_path / "same", call_schema(), parts={"draft": tmp_path / "same"})
    assert [s.name for s in made.speculator.sources] == ["lookup", "model"]
    with pytest.raises(InputError, match="another tokenizer"):
        HfDecoder.from_folder(tmp_path / "same", call_schema(), parts={"draft": tmp_path / "other"})


class TwoExperts:
    """Names `one` unless the planner wants `two`."""

    def __init__(self):
        self.made = {"one": LeanLlama(model()), "two": small()}

    def choose(self, control, final):
        return "two" if control.expert_prior.get("two", 0) > 0.5 and final else "one"

    def rows(self, name):
        return self.made[name]


def test_each_expert_writes_with_its_own_model_and_cache():
    one = HfDecoder(model(), tokenizer(), call_schema(), experts=TwoExperts())
    plain = HfDecoder(model(), tokenizer(), call_schema())
    budget, wanted = Budget(max_tokens=40), Control(expert_prior={"two": 0.9})
    (by_one,) = one.propose(STEP, budget, Control())
    (by_two,) = one.propose(STEP, budget, wanted)
    (drafted,) = one.propose(STEP, budget.model_copy(update={"expert_depth": 2}), wanted)
    assert (by_one.expert, by_two.expert, drafted.expert) == ("one", "two", "one")
    (expected,) = plain.propose(STEP, budget, Control())
    assert by_one.text == drafted.text == expected.text and expected.expert is None
    assert by_two.logprob != by_one.logprob
    assert one.engines["one"].reused > 0
    assert one.engines["two"].reused == 0
