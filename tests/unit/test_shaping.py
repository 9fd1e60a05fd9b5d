"""Logit shaping: nothing at α = 0, a bounded bias otherwise."""

import json

import numpy as np
import pytest
import torch

from hybrid_agent.decoder.engine import Sampling
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.shaping import ABOUT, CAP, MOST, WIDTH, Shaper, excluded_tokens, features
from hybrid_agent.errors import InputError
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control, Exchange, Window
from tests.unit.decoder_models import model, tokenizer

STEP = Window(goal="g", phase="step", steps=("copy report.txt to vault", "list the vault"), files=("report.txt",))
FAILED = STEP.model_copy(update={"exchanges": (Exchange(call='{"tool":"fs","args":{}}', obs="error\nno"),)})
AGAIN = STEP.model_copy(update={"exchanges": FAILED.exchanges * 2})
WINDOWS = [Window(goal="copy it"), STEP, FAILED, AGAIN, Window(goal="g", phase="finish", steps=("a",), index=1)]


def shaper(scale=1.0):
    steering = scale * torch.randn(48, WIDTH, generator=torch.Generator().manual_seed(3))
    return Shaper.for_model(model(), tokenizer(), steering)


def decoder(**parts):
    return HfDecoder(model(), tokenizer(), call_schema(), **parts)


def test_features_tell_windows_apart_and_names_of_files_do_not():
    seen = [features(window) for window in WINDOWS]
    assert all(f.shape == (WIDTH,) and f.dtype == np.float32 for f in seen)
    assert len({f.tobytes() for f in seen}) == len(WINDOWS)
    other_files = STEP.model_copy(update={"files": ("other.txt",)})
    assert np.array_equal(features(other_files), features(STEP))
    assert np.linalg.norm(seen[1][-96:]) == pytest.approx(1)


def test_the_bias_is_bounded_sparse_centred_and_spares_structure():
    for scale in (0.01, 1.0, 100.0):
        one = shaper(scale)
        for window in WINDOWS:
            bias = one.bias(window)
            assert bias.shape == (600,) and bias.dtype == np.float32
            assert np.abs(bias).max() <= CAP
            assert 0 < np.count_nonzero(bias) <= MOST
            assert not bias[one.excluded].any()
    small = shaper(0.001)
    allowed = ~small.excluded
    whole = (model().lm_head.weight @ small.steering @ torch.from_numpy(features(STEP))).detach().numpy()
    whole = np.where(allowed, whole - whole[allowed].mean(), 0.0)
    kept = small.bias(STEP) != 0
    np.testing.assert_allclose(small.bias(STEP)[kept], whole[kept], atol=1e-6)
    assert np.abs(whole[~kept & allowed]).max(initial=0) <= np.abs(whole[kept]).min()


def test_structure_and_ends_are_excluded_and_words_are_not():
    excluded = excluded_tokens(tokenizer(), 600)
    ids = tokenizer().backend_tokenizer.encode('{"tool":"fs","args":{"path":"', add_special_tokens=False).ids
    text = [tokenizer().backend_tokenizer.decode([i], skip_special_tokens=False) for i in ids]
    assert all(excluded[i] == any(c in '{}[]":,\\' for c in t) for i, t in zip(ids, text, strict=True))
    assert excluded[tokenizer().eos_token_id] and excluded[:9].all()
    assert 0.3 < (~excluded).mean() < 1


@pytest.mark.parametrize("temperature", [0.0, 1.2])
def test_without_strength_it_is_the_plain_decoder_to_the_last_bit(temperature):
    plain, shaped, none = decoder(), decoder(shaper=shaper()), decoder()
    differs = False
    for seed, window in enumerate(WINDOWS * 2):
        budget = Budget(k=3, temperature=temperature, seed=seed, max_tokens=40)
        expected = plain.propose(window, budget, Control())
        assert shaped.propose(window, budget, Control()) == expected  # every figure of every candidate
        strong = budget.model_copy(update={"shaping": 2.0})
        assert none.propose(window, strong, Control()) == expected  # nothing to shape with
        differs |= shaped.propose(window, strong, Control()) != expected
    assert differs


def test_shaped_logprobs_are_those_of_shifted_logits():
    """Also where the choice is among the tokens that the grammar allows."""
    one = decoder(shaper=shaper(0.3))
    (segment,) = one.propose(STEP, Budget(k=1, max_tokens=60, shaping=1.5), Control())
    ids, _ = one.encode(STEP, 60)
    shift = 1.5 * one.shaper.bias(STEP)
    (draft,) = one.engine.write(ids, Sampling(max_tokens=60), one.constraint(STEP), shift=shift)
    assert draft.complete and segment.logprob == draft.logprob
    tokens = draft.tokens
    with torch.inference_mode():
        logits = model()(torch.tensor([ids + tokens])).logits[0].numpy() + shift
    matcher, total = one.constraint(STEP)(), 0.0
    for at, token in enumerate(tokens):
        allowed = np.flatnonzero(np.unpackbits(matcher.mask().view(np.uint8), bitorder="little", count=600))
        if token not in matcher.forced()[:1] and len(allowed) > 1:
            scores = logits[len(ids) - 1 + at]
            total += scores[token] - np.logaddexp.reduce(scores[allowed].astype(float))
        matcher.advance([token])
    assert draft.logprob == pytest.approx(total, abs=1e-3)


def test_it_is_saved_and_loaded(tmp_path):
    one = shaper()
    one.save(tmp_path, {"alpha": 0.5})
    again = Shaper.load(tmp_path, model(), tokenizer())
    assert np.array_equal(again.bias(AGAIN), one.bias(AGAIN))
    assert json.loads((tmp_path / ABOUT).read_text())["alpha"] == 0.5
    with pytest.raises(InputError, match="no readable shaping"):
        Shaper.load(tmp_path / "none", model(), tokenizer())
    (tmp_path / ABOUT).write_text((tmp_path / ABOUT).read_text().replace(one.tokenizer, "other"))
    with pytest.raises(InputError, match="another tokenizer"):
        Shaper.load(tmp_path, model(), tokenizer())
    one.steering = one.steering[:, 1:]
    one.save(tmp_path)
    with pytest.raises(InputError, match="steering"):
        Shaper.load(tmp_path, model(), tokenizer())
