"""The energy model's feature weights before training: a logistic regression of each domain.

Gradient steps small enough for the trunk hardly move these weights; started at their best without the text, they leave
to training what text and interactions add.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from torch import nn

from hybrid_agent.scorer.features import BAD_COUNT, FEATURES
from hybrid_agent.scorer.model import EnergyModel
from hybrid_agent.traces.domains import DOMAINS
from train.ebm_data import Contexts

LEAST = 100  # candidates of a domain
RIDGE = 1.0  # as C=1 in scikit-learn
SMALLEST = 1e-3  # weight of a feature that is never good news: softplus is not zero anywhere

Floats = NDArray[np.float64]


@torch.no_grad()
def start_linear(model: EnergyModel, data: Contexts, contexts: NDArray[np.int64]) -> None:
    """Set lambda and the constant of each domain that has passing and failing candidates in `contexts`; others stay.

    The constant goes into the energy (the last bias of the domain's head), so that energies of different domains, which
    one turn's candidates may belong to, can be compared from the start.
    """
    rows = data.candidates(contexts)
    bad, free = model.raw_bad.view(len(DOMAINS), -1), model.free.view(len(DOMAINS), -1)
    for number in range(len(DOMAINS)):
        mine = rows[data.domain[rows] == number]
        passed = data.passed[mine]
        if len(mine) < LEAST or passed.all() or not passed.any():
            continue
        weights, bias = fit_bounded(data.features[mine].astype(np.float64), passed)
        found = torch.from_numpy(weights)
        bad[number] = torch.log(torch.expm1(found[:BAD_COUNT])).to(bad)
        free[number] = found[BAD_COUNT:].to(free)
        cast(nn.Linear, cast(nn.Sequential, model.heads[number])[3]).bias[0] = bias


def fit_bounded(features: Floats, passed: NDArray[np.bool_]) -> tuple[Floats, float]:
    """(lambda (F,), bias) with p(pass) = sigmoid(-lambda . f - bias): the likeliest ones under a ridge penalty, where
    features that are never good news weigh at least `SMALLEST`.

    Args:
        features: (N, F).
    """
    y = passed.astype(np.float64)

    def loss(at: Floats) -> tuple[float, Floats]:
        weights, bias = at[:-1], at[-1]
        logits = -features @ weights - bias
        value = np.logaddexp(0, logits).sum() - (y * logits).sum() + weights @ weights / (2 * RIDGE)
        error = expit(logits) - y
        return float(value), np.append(-features.T @ error + weights / RIDGE, -error.sum())

    start = np.append(np.where(np.arange(len(FEATURES)) < BAD_COUNT, 0.3, 0.0), 0.0)
    bounds = [(SMALLEST, None)] * BAD_COUNT + [(None, None)] * (len(FEATURES) - BAD_COUNT + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 400}).x
    return found[:-1], float(found[-1])
