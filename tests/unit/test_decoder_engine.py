"""The segment engine: same texts as plain decoding, under any sharing, forcing and reuse."""

import json
import math

import jsonschema
import numpy as np
import pytest
import torch

from hybrid_agent.constrain import allowed, grammar
from hybrid_agent.decoder.choose import choices
from hybrid_agent.decoder.engine import Sampling, SegmentEngine
from hybrid_agent.nn.lean import LeanLlama
from hybrid_agent.nn.rows import CachedRows
from tests.unit.decoder_models import model, tokenizer

SCHEMA = {
    "type": "object",
    "properties": {
        "tool": {"enum": ["copy", "count", "remove"]},
        "path": {"enum": ["notes/report.txt", "notes/readme.txt", "a b"]},
        "n": {"type": "integer", "minimum": 0, "maximum": 99},
    },
    "required": ["tool", "path", "n"],
    "additionalProperties": False,
}


def engine(rows=LeanLlama):
    return SegmentEngine(rows(model()), 1)


def ids(text):
    return tokenizer().backend_tokenizer.encode(text).ids


def test_greedy_text_is_that_of_generate():
    prompt = ids("copy the report to the garden and count the lines")
    with torch.inference_mode():
        tensor = torch.tensor([prompt])
        out = model().generate(tensor, attention_mask=torch.ones_like(tensor), max_new_tokens=80, do_sample=False)
    expected = out[0, len(prompt) :].tolist()
    (draft,) = engine().write(prompt, Sampling(max_tokens=80))
    assert draft.tokens + [1] * draft.complete == expected
    assert draft.forced == 0


@pytest.mark.parametrize("rows", [LeanLlama, CachedRows])
def test_rows_of_a_batch_are_the_rows_alone(rows):
    """Rows share a prefix, end at different times and have different numbers of forced tokens."""
    compiled = grammar(SCHEMA, tokenizer(), vocab_size=600)
    prompt = ids("which file")
    together = engine(rows).write(prompt, Sampling(k=5, temperature=1.5, seed=3), compiled.matcher)
    plain = engine(CachedRows).write(prompt, Sampling(k=5, temperature=1.5, seed=3), compiled.matcher)
    assert [d.tokens for d in together] == [d.tokens for d in plain]
    assert len({tuple(d.tokens) for d in together}) > 1
    for a, b in zip(together, plain, strict=True):
        assert a.logprob == pytest.approx(b.logprob, abs=1e-3)
        assert (a.forced, a.complete) == (b.forced, True)
        jsonschema.validate(json.loads(tokenizer().backend_tokenizer.decode(a.tokens)), SCHEMA)


def test_logprob_is_the_probability_under_the_mask():
    """Recomputed token by token with the stock module: softmax over the allowed tokens, forced ones count nothing."""
    compiled = grammar(SCHEMA, tokenizer(), vocab_size=600)
    prompt = ids("count it")
    bias = {token: 1.5 for token in range(0, 600, 3)}
    how = Sampling(k=3, temperature=1.0, seed=1, greedy_first=True)
    for draft in engine().write(prompt, how, compiled.matcher, lambda written: bias):
        with torch.inference_mode():
            logits = model()(torch.tensor([prompt + draft.tokens])).logits[0].double().numpy()
        matcher, total, single = compiled.matcher(), 0.0, 0
        for at, token in enumerate(draft.tokens):
            options = allowed(matcher.mask())
            scores = {i: logits[len(prompt) - 1 + at, i] + bias.get(i, 0.0) for i in options}
            if token in matcher.forced()[:1] or len(options) == 1:
                single += 1
            else:
                total += scores[token] - math.log(sum(math.exp(s) for s in scores.values()))
            matcher.advance([token])
        assert matcher.is_done()
        assert single == draft.forced > 0
        assert draft.logprob == pytest.approx(total, abs=1e-3)


def test_forced_tokens_cost_no_forward():
    (draft,) = engine().write(ids("x"), Sampling(), grammar(SCHEMA, tokenizer(), vocab_size=600).matcher)
    # The first choice comes from the prompt's forward, each other choice from one more.
    assert draft.forwards == len(draft.tokens) - draft.forced - 1


def test_a_longer_prompt_reuses_the_cache_and_changes_nothing():
    first, second = ids("which file do you want"), ids(" to copy now")
    compiled = grammar(SCHEMA, tokenizer(), vocab_size=600)
    warm = engine()
    drafts = warm.write(first, Sampling(k=3, temperature=1.5, seed=2), compiled.matcher)
    for draft in drafts:  # whichever row was chosen, its cache serves
        prompt = first + draft.tokens + second
        fresh = engine().write(prompt, Sampling(k=2, temperature=1.0, seed=9), compiled.matcher)
        again = warm.write(prompt, Sampling(k=2, temperature=1.0, seed=9), compiled.matcher)
        assert [d.tokens for d in fresh] == [d.tokens for d in again]
        assert warm.reused >= len(first)
    warm.write(first, Sampling())
    assert warm.reused == len(first) - 1
    warm.write(ids("quite another text"), Sampling(max_tokens=3))
    assert warm.reused < 3


def test_writing_stops_at_the_limit_and_at_the_end_of_the_context():
    (short,) = engine().write(ids("go"), Sampling(max_tokens=4))
    assert (len(short.tokens), short.complete) == (4, False)
    prompt = [300 + i % 200 for i in range(250)]
    (cut,) = engine().write(prompt, Sampling(max_tokens=500))
    assert not cut.complete and 250 + len(cut.tokens) <= 257
    with pytest.raises(ValueError, match="does not fit"):
        engine().write([5] * 256, Sampling())


def test_seeds_decide_and_temperature_zero_ignores_them():
    prompt = ids("go")
    texts = [engine().write(prompt, Sampling(max_tokens=12, temperature=1.0, seed=s))[0].tokens for s in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    greedy = [engine().write(prompt, Sampling(max_tokens=12, seed=s))[0].tokens for s in (1, 2)]
    assert greedy[0] == greedy[1]


def pick(logits, mask, bias, temperature, rng):
    choice = choices(logits, mask, bias)
    return choice.picked(choice.draw(temperature, rng))


def test_sampling_follows_the_masked_softmax():
    rng = np.random.default_rng(0)
    logits = np.array([5.0, 1.0, 0.0, 2.0, -1.0] + [9.0] * 30, np.float32)
    mask = np.array([0b11010, 0], np.int32)  # tokens 1, 3, 4
    draws = [pick(logits, mask, {4: 2.0}, 0.5, rng).token for _ in range(20000)]
    weights = {1: math.exp(1 / 0.5), 3: math.exp(2 / 0.5), 4: math.exp(1 / 0.5)}
    for token, weight in weights.items():
        assert draws.count(token) / 20000 == pytest.approx(weight / sum(weights.values()), abs=0.015)
    assert pick(logits, mask, None, 0.0, rng).token == 3
    assert pick(logits, None, None, 0.0, rng).token == 5


def test_entropy_and_low_are_those_of_the_choices():
    compiled = grammar(SCHEMA, tokenizer(), vocab_size=600)
    prompt = ids("count it")
    for draft in engine().write(prompt, Sampling(k=3, temperature=1.5, seed=1), compiled.matcher):
        with torch.inference_mode():
            logits = model()(torch.tensor([prompt + draft.tokens])).logits[0].double().numpy()
        matcher, entropies, logs = compiled.matcher(), [0.0], [0.0]
        for at, token in enumerate(draft.tokens):
            options = allowed(matcher.mask())
            if token not in matcher.forced()[:1] and len(options) > 1:
                scores = torch.tensor(logits[len(prompt) - 1 + at, options]).log_softmax(0)
                entropies.append(float(-(scores.exp() * scores).sum()))
                logs.append(float(scores[options.index(token)]))
            matcher.advance([token])
        assert draft.entropy == pytest.approx(max(entropies), abs=1e-3)
        assert draft.low == pytest.approx(min(logs), abs=1e-3)
        assert draft.entropy > 0 > draft.low >= draft.logprob


class Counting(LeanLlama):
    """Counts the tokens that go through it."""

    seen = 0

    def forward(self, rows, tokens, starts):
        self.seen += sum(map(len, tokens))
        return super().forward(rows, tokens, starts)


def test_watch_is_told_of_each_row_as_it_ends_and_stops_the_others():
    compiled = grammar(SCHEMA, tokenizer(), vocab_size=600)
    how = Sampling(k=6, temperature=1.5, seed=3)
    all_of_them = engine().write(ids("which"), how, compiled.matcher)
    order = []
    engine().write(ids("which"), how, compiled.matcher, watch=lambda row, draft: order.append(row))
    assert sorted(order) == list(range(6))
    assert [all_of_them[r].forwards for r in order] == sorted(d.forwards for d in all_of_them)
    assert len({d.forwards for d in all_of_them}) > 2  # else nothing below is cancelled

    told, rows = [], Counting(model())
    kept = SegmentEngine(rows, 1).write(
        ids("which"), how, compiled.matcher, watch=lambda row, draft: told.append(row) or True
    )
    fewest = min(d.forwards for d in all_of_them)
    assert told == [r for r, d in enumerate(all_of_them) if d.forwards == fewest]  # all that end at the same step
    assert [d.tokens for d in kept] == [all_of_them[r].tokens for r in told]
    whole = Counting(model())
    SegmentEngine(whole, 1).write(ids("which"), how, compiled.matcher)
    assert rows.seen < whole.seen


def test_samples_after_a_greedy_text_cost_no_prefill():
    """The loop asks for one greedy candidate, then for samples; nothing of the prompt is computed again."""
    compiled = grammar(SCHEMA, tokenizer(), vocab_size=600)
    prompt, how = ids("which file do you want to copy to the garden"), Sampling(k=3, temperature=1.5, seed=4)
    rows = Counting(model())
    warm = SegmentEngine(rows, 1)
    warm.write(prompt, Sampling(), compiled.matcher)
    before, seconds = rows.seen, warm.write(prompt, how, compiled.matcher)
    fresh = engine().write(prompt, how, compiled.matcher)
    assert [(d.tokens, d.logprob) for d in seconds] == [(d.tokens, d.logprob) for d in fresh]
    assert warm.reused >= len(prompt)
    assert rows.seen - before <= sum(len(d.tokens) for d in seconds)
