"""The energy model's feature weights before training."""

import numpy as np
import torch

from hybrid_agent.scorer.features import BAD_COUNT, FEATURES
from hybrid_agent.scorer.model import EnergyModel
from train.ebm_data import Contexts
from train.ebm_start import SMALLEST, fit_bounded, start_linear

COUNT = len(FEATURES)


def made(rng, n=3000):
    """Features, and passes that two of them decide: a bad one, and one that may be either."""
    features = rng.normal(size=(n, COUNT)) * 0.5
    logits = 1.0 - 3 * features[:, 4] + 2 * features[:, BAD_COUNT + 3] + 2 * features[:, 0]
    return features, rng.random(n) < 1 / (1 + np.exp(-logits))


def test_the_fit_finds_the_weights_and_keeps_bad_news_bad():
    weights, bias = fit_bounded(*made(np.random.default_rng(0)))
    assert weights[4] == np.clip(weights[4], 2.5, 3.5)
    assert weights[BAD_COUNT + 3] == np.clip(weights[BAD_COUNT + 3], -2.4, -1.6)
    assert bias == np.clip(bias, -1.2, -0.8)
    assert weights[0] == SMALLEST  # it helped in the data, which a fact that is never good news may not
    assert np.abs(np.delete(weights, [0, 4, BAD_COUNT + 3])).max() < 0.4


def contexts(features, passed, domain):
    n = len(passed)
    empty, ends = np.zeros(0, np.int32), np.zeros(n + 1, np.int64)
    return Contexts(
        prefix=empty, prefix_at=ends, tokens=empty, tokens_at=ends, first=np.arange(n + 1), masked=np.array(0),
        features=features.astype(np.float32), passed=passed, domain=np.full(n, domain, np.int8),
        stratum=np.zeros(n, np.int8), logprob=np.zeros(n, np.float32), written=np.ones(n, np.bool_),
        groups=np.array([str(i) for i in range(n)]),
    )  # fmt: skip


def test_the_model_starts_with_the_energies_of_the_fit_and_other_domains_stay():
    features, passed = made(np.random.default_rng(1))
    model = EnergyModel(None).eval()
    before = model.feature_weights.clone()
    start_linear(model, contexts(features, passed, domain=2), np.arange(2000))
    weights, _ = fit_bounded(features[:2000].astype(np.float32).astype(np.float64), passed[:2000])
    assert np.allclose(model.feature_weights[2].detach(), weights, atol=1e-4)
    assert torch.equal(model.feature_weights[:2], before[:2]) and not model.bias.any()
    energies = model(None, torch.from_numpy(features.astype(np.float32)), torch.full((3000,), 2)).detach().numpy()
    assert energies[passed].mean() < energies[~passed].mean() - 1
    assert abs((1 / (1 + np.exp(energies))).mean() - passed.mean()) < 0.02  # they are logits as they stand


def test_one_kind_of_outcome_says_nothing():
    features, passed = made(np.random.default_rng(2), 200)
    model = EnergyModel(None)
    before = model.feature_weights.clone()
    start_linear(model, contexts(features, np.ones_like(passed), domain=0), np.arange(200))
    assert torch.equal(model.feature_weights, before)
