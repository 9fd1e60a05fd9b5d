"""The planner's losses: priors, hazard, deliberation after every pass, and plan-InfoNCE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from hybrid_agent.config.stages.hrm import HrmLossConfig
from hybrid_agent.planner.model import Outputs, PlannerNet
from train.engine import Loss
from train.hrm_batches import UNKNOWN, PlannerBatch


@dataclass(frozen=True)
class Weights:
    """Weights of positive examples of the two rare events."""

    risk: float = 1.0
    deliberate: float = 1.0


class PlanMatch(NamedTuple):
    """InfoNCE over n plans: the loss, how often the right key comes first, and how often chance would."""

    loss: Tensor
    right: float
    chance: float
    count: int


def planner_loss(net: PlannerNet, batch: PlannerBatch, config: HrmLossConfig, weights: Weights) -> Loss:
    """All losses of a batch; those of the heads are the mean over passes (deep supervision)."""
    passes, plans = net(batch.states)
    parts: dict[str, Tensor] = {}
    for out in passes:
        for name, value in head_losses(out, batch, weights).items():
            parts[name] = parts.get(name, torch.zeros(())) + value / len(passes)
    total = sum((getattr(config, name) * value for name, value in parts.items()), torch.zeros(()))
    if plans is not None and config.infonce and net.config.variant != "no_infonce":
        match = match_plans(net.to_key(plans).float(), batch.keys, config)
        parts["infonce"] = match.loss
        total = total + config.infonce * match.loss
    return Loss(total, len(batch.tool), {f"loss_{name}": value.item() for name, value in parts.items()})


def head_losses(out: Outputs, batch: PlannerBatch, weights: Weights) -> dict[str, Tensor]:
    """The mean loss of each head over the turns whose answer is known (0 if there is none)."""
    return {
        "tool": _cross_entropy(out.tool, batch.tool),
        "expert": _cross_entropy(out.expert, batch.expert),
        "risk": _hazard(out.hazard, batch.failed, weights.risk),
        "deliberate": _binary(out.deliberate, batch.deliberate, weights.deliberate),
    }


def match_plans(queries: Tensor, keys: Tensor, config: HrmLossConfig) -> PlanMatch:
    """Plan-InfoNCE: does P·g tell what will have changed `horizon` turns later?

    Args:
        queries: P g, (S, φ).
        keys: changes of φ (S, 1 + wrong offsets, φ), the right one first (frozen, no gradient).

    Negatives are the other plans' right keys and the same plan's wrong offsets; those almost equal to the right key
    (cosine above `same`) are masked, and plans after which nothing moved take no part.
    """
    moved = keys[:, 0].norm(dim=-1) > config.still
    queries, keys = F.normalize(queries[moved], dim=-1), keys[moved]
    count = len(queries)
    if count < 2:
        return PlanMatch(queries.sum() * 0.0, 0.0, 0.0, 0)
    alive = keys.norm(dim=-1) > config.still
    keys = F.normalize(keys, dim=-1)
    right, wrong = keys[:, 0], keys[:, 1:]
    same_batch = right @ right.t() > config.same
    same_batch.fill_diagonal_(False)
    same_offset = torch.einsum("nd,nod->no", right, wrong) > config.same
    logits = torch.cat([queries @ right.t(), torch.einsum("nd,nod->no", queries, wrong)], 1) / config.temperature
    logits = logits.masked_fill(torch.cat([same_batch, same_offset | ~alive[:, 1:]], 1), float("-inf"))
    target = torch.arange(count, device=logits.device)
    hits = (logits.argmax(1) == target).float().mean().item()
    chance = (1.0 / torch.isfinite(logits).sum(1)).mean().item()
    return PlanMatch(F.cross_entropy(logits, target), hits, chance, count)


def _cross_entropy(logits: Tensor, shares: Tensor) -> Tensor:
    losses = -(shares * F.log_softmax(logits, -1)).sum(-1)
    return losses.sum() / shares.sum().clamp_min(1.0)


def _hazard(logits: Tensor, failed: Tensor, weight: float) -> Tensor:
    """BCE on "failure within k" for each k up to the horizon, p = 1 - Π(1 - h)."""
    known = failed != UNKNOWN
    log_safe = F.logsigmoid(-logits).cumsum(-1).clamp_max(-1e-6)
    log_risk = torch.log(-torch.expm1(log_safe))
    losses = torch.where(failed == 1, -weight * log_risk, -log_safe)
    return (losses * known).sum() / known.sum().clamp_min(1)


def _binary(logits: Tensor, labels: Tensor, weight: float) -> Tensor:
    known = labels != UNKNOWN
    targets = (labels == 1).float()
    losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none", pos_weight=logits.new_tensor(weight))
    return (losses * known).sum() / known.sum().clamp_min(1)
