"""Fitting of logit shaping (see train.shaping for what is minimised) and the choice of its strength."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from hybrid_agent.decoder.shaping import WIDTH, Shaper
from train.shaping_table import Table

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)


def weights(table: Table, beta: float) -> torch.Tensor:
    """w (K,): softmax of -βE over the candidates of each context."""
    scores = -beta * table.energy
    return torch.exp(scores - _logsumexp(scores, table.context, len(table.groups))[table.context])


def log_likelihoods(table: Table, bias: torch.Tensor) -> torch.Tensor:
    """Σ_t log q(y_k,t), (K,), with logits shifted by `bias` (C, vocab)."""
    of_context = table.context[table.candidate][table.choice]
    scores = table.logits + bias[of_context, table.ids]
    each = scores[table.target] - _logsumexp(scores, table.choice, len(table.target))
    return torch.zeros(len(table.context)).index_add(0, table.candidate, each)


def _logsumexp(values: torch.Tensor, group: torch.Tensor, count: int) -> torch.Tensor:
    """Log of the sum of exp(values) in each of `count` groups."""
    top = torch.full((count,), -torch.inf).scatter_reduce(0, group, values.detach(), "amax")
    return torch.zeros(count).index_add(0, group, torch.exp(values - top[group])).log() + top


def fit(table: Table, shaper: Shaper, *, beta: float, eta: float, iterations: int = 60) -> tuple[torch.Tensor, float]:
    """The steering matrix (d, WIDTH) and the final value of the objective.

    The bias is taken as it is before the caps of serving: centred, and 0 for excluded tokens.
    """
    allowed = torch.from_numpy(~shaper.excluded)
    head = shaper.head.float().clone()
    head -= head[allowed].mean(0)
    head[~allowed] = 0.0
    w, steering = weights(table, beta), torch.zeros(head.shape[1], WIDTH, requires_grad=True)
    optimizer = torch.optim.LBFGS([steering], max_iter=iterations, line_search_fn="strong_wolfe")
    count = len(table.groups)

    def objective() -> torch.Tensor:
        directions = table.features @ steering.t()
        value = -(w * log_likelihoods(table, directions @ head.t())).sum() / count
        return value + eta * directions.square().sum() / count

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = objective()
        value.backward()
        return value

    optimizer.step(closure)
    with torch.no_grad():
        return steering.detach(), float(objective())


def judge(table: Table, shaper: Shaper, beta: float, alpha: float) -> dict[str, np.ndarray]:
    """For each context, with the bias as it is served: weighted negative log-likelihood, mean energy (of one of its
    candidates drawn by likelihood), and whether the likeliest candidate is a pass."""
    bias = torch.from_numpy(np.stack([alpha * shaper.bias_of(f) for f in table.features.numpy()]))
    logs = log_likelihoods(table, bias)
    count = len(table.groups)
    nll = torch.zeros(count).index_add(0, table.context, -weights(table, beta) * logs)
    shares = torch.exp(logs - _logsumexp(logs, table.context, count)[table.context])
    energy = torch.zeros(count).index_add(0, table.context, shares * table.energy)
    passed = [bool(table.good[rows][logs[rows].argmax()]) for rows in _rows(table)]
    return {"nll": nll.numpy(), "energy": energy.numpy(), "first_passes": np.array(passed, float)}


def _rows(table: Table) -> list[torch.Tensor]:
    return [torch.nonzero(table.context == c)[:, 0] for c in range(len(table.groups))]


def interval(differences: np.ndarray, groups: Sequence[str], seed: int, draws: int = 1000) -> tuple[float, float]:
    """95 % bootstrap interval of a mean over contexts, drawn by group."""
    names, at = np.unique(np.array(groups), return_inverse=True)
    sums, sizes = np.bincount(at, differences, len(names)), np.bincount(at, minlength=len(names))
    drawn = np.random.default_rng(seed).integers(0, len(names), (draws, len(names)))
    low, high = np.percentile(sums[drawn].sum(1) / sizes[drawn].sum(1), [2.5, 97.5])
    return float(low), float(high)


def choose_alpha(table: Table, shaper: Shaper, beta: float, seed: int) -> tuple[float, list[dict[str, Any]]]:
    """The strength with the least negative log-likelihood, and a report on all of them.

    It is 0 unless the likelihood is better and the mean energy no worse, both beyond chance.
    """
    plain, report = judge(table, shaper, beta, 0.0), []
    best, least = 0.0, float(plain["nll"].mean())
    for alpha in ALPHAS:
        found = judge(table, shaper, beta, alpha)
        entry: dict[str, Any] = {"alpha": alpha}
        for key, values in found.items():
            entry[key] = round(float(values.mean()), 4)
            entry[f"{key}_change"] = [round(x, 4) for x in interval(values - plain[key], table.groups, seed)]
        report.append(entry)
        sure = interval(found["nll"] - plain["nll"], table.groups, seed)[1] < 0
        harmless = interval(found["energy"] - plain["energy"], table.groups, seed)[1] <= 0
        if sure and harmless and found["nll"].mean() < least:
            best, least = alpha, float(found["nll"].mean())
    return best, report
