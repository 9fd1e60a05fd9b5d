"""The loss of the energy model: ranking within a context, being right about each candidate, small energies, and a
slow teacher.

Per context with passing candidates P among all J: -log[sum_P w e^(-sE) / sum_J w e^(-sE)], the NCE ranking loss of
residual energy models (Deng et al. 2020) with a learned scale s <= 20; w are weights of strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from hybrid_agent.config.stages.ebm import EbmConfig, StrataConfig
from hybrid_agent.scorer.model import EnergyModel
from train.ebm_data import STRATA, Contexts

Tensor = torch.Tensor
MOST = 4.0  # a candidate's weight stays within 1/4 and 4
_KIND = {"near_miss": "near", "code_mutant": "near", "plan": "near", "wrong_state": "wrong_state", "hazard": "hazard"}


@dataclass(frozen=True)
class Terms:
    """The parts of the loss, each a scalar."""

    ranking: Tensor
    bce: Tensor
    square: Tensor
    kl: Tensor

    def total(self, config: EbmConfig) -> Tensor:
        """Their weighted sum."""
        return self.ranking + config.bce * self.bce + config.energy * self.square + config.kl * self.kl


def loss_terms(
    model: EnergyModel,
    energies: Tensor,
    teacher: Tensor | None,
    *,
    passed: Tensor,
    domain: Tensor,
    owner: Tensor,
    weights: Tensor,
) -> Terms:
    """Loss of a batch; all tensors (C,).

    Args:
        teacher: energies of the averaged weights, or None.
        owner: number of each candidate's context; candidates of one context are neighbours.
        weights: of candidates (see `candidate_weights`).
    """
    table = _by_context(owner)
    logits = -model.scale * energies
    weighted = _spread(logits + weights.log(), table)
    right = _spread(torch.where(passed, logits + weights.log(), -torch.inf), table)
    some, all_pass = right.isfinite().any(1), _spread((~passed).float(), table, 0.0).sum(1) == 0
    mixed = some & ~all_pass
    zero = energies.sum() * 0.0
    # Contexts are chosen first: the gradient of an empty logsumexp is not a number.
    ranking = (weighted[mixed].logsumexp(1) - right[mixed].logsumexp(1)).mean() if bool(mixed.any()) else zero
    each = F.binary_cross_entropy_with_logits(-energies - model.bias[domain], passed.float(), reduction="none")
    kl = zero
    if teacher is not None:
        theirs = _spread(-model.scale.detach() * teacher, table).log_softmax(1)
        mine = _spread(logits, table).log_softmax(1)
        kl = (theirs.exp() * (theirs - mine).masked_fill(table < 0, 0.0)).sum(1).mean()
    return Terms(ranking, (each * weights).sum() / weights.sum(), energies.square().mean(), kl)


def _by_context(owner: Tensor) -> Tensor:
    """Numbers of the candidates of each context, int64 (B, K), -1 where there is none."""
    counts = torch.bincount(owner)
    first = counts.cumsum(0) - counts
    offsets = torch.arange(int(counts.max()), device=owner.device)
    return torch.where(offsets < counts[:, None], first[:, None] + offsets, -1)


def _spread(values: Tensor, table: Tensor, fill: float = -torch.inf) -> Tensor:
    """Values (C,) laid out as the table."""
    return torch.where(table >= 0, values[table.clamp_min(0)], fill)


def candidate_weights(data: Contexts, contexts: NDArray[np.int64], shares: StrataConfig) -> NDArray[np.float32]:
    """Weights (C,) that bring the strata of the given contexts to their shares; the mean is 1 for passing and for
    failing candidates each. Candidates of other contexts weigh 1."""
    weights = np.ones(len(data.passed), np.float32)
    chosen = data.candidates(contexts)
    kinds = np.array([_KIND.get(name, "sampled") for name in STRATA])[data.stratum]
    wanted = {kind: getattr(shares, kind) for kind in ("sampled", "near", "wrong_state", "hazard")}
    bad = chosen[~data.passed[chosen]]
    _balance(weights, bad, kinds, wanted)
    good = chosen[data.passed[chosen]]
    own = np.where(data.stratum == STRATA.index("sampled"), "own", "given")
    share = float((own[good] == "own").mean()) if len(good) else 1.0
    if 0 < share < shares.sampled_positives:
        _balance(weights, good, own, {"own": shares.sampled_positives, "given": 1 - shares.sampled_positives})
    return weights


def _balance(
    weights: NDArray[np.float32], index: NDArray[np.int64], kinds: NDArray[np.str_], wanted: dict[str, float]
) -> None:
    """Set the weights of some candidates so that their kinds have the wanted shares, as far as 1/4..4 allows."""
    present = {kind: wanted.get(kind, 0.0) for kind in set(kinds[index].tolist())}
    total = sum(present.values())
    if total <= 0:
        return
    for kind, share in present.items():
        rows = index[kinds[index] == kind]
        weights[rows] = np.clip(share / total * len(index) / len(rows), 1 / MOST, MOST)
    weights[index] /= weights[index].mean()
