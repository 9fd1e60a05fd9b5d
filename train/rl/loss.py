"""The clipped objective on one update's rows.

Shao et al. 2024 (GRPO), with the changes of Yu et al. 2025 (DAPO): a wider upper clip, normalisation by tokens and
not by texts, groups without variance dropped, texts that were cut short masked; and of Liu et al. 2025 (Dr. GRPO): no
division by the group's deviation. KL to the reference by Schulman's k3 estimator, which is never negative.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from hybrid_agent.config.stages.rl import RlConfig
from train.engine import Loss
from train.rl.rows import Row, log_probs, packs


def policy_loss(model: PreTrainedModel, rows: Sequence[Row], stage: RlConfig) -> Loss:
    """Mean over all choices of the rows. Gradients of all passes but the last are already added up: the caller
    calls `backward` on the value, which does the rest.

    Without rows the value is zero, and so is the gradient.
    """
    if not rows:
        zero = sum((p.sum() * 0.0 for p in model.parameters()), torch.zeros(()))
        return Loss(zero, 0, {"kl": 0.0, "entropy": 0.0, "clipped": 0.0, "ratio": 1.0})
    total = float(sum(row.count * len(row.at) for row in rows))
    sums = torch.zeros(4)
    value, tokens = torch.zeros(()), 0
    passes = list(packs(rows, stage.optim.batch_tokens))
    for number, pack in enumerate(passes):
        chosen = [rows[i] for i in pack]
        part, figures = _part(model, chosen, stage)
        part = part / total
        sums += figures
        tokens += len(chosen) * max(len(row.ids) for row in chosen)
        if number < len(passes) - 1:
            part.backward()
            part = part.detach()
        value = value + part
    kl, entropy, clipped, ratio = (sums / total).tolist()
    return Loss(value, tokens, {"kl": kl, "entropy": entropy, "clipped": clipped, "ratio": ratio})


def _part(model: PreTrainedModel, rows: Sequence[Row], stage: RlConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """(sum of the objective over choices, sums of KL, entropy, clipped choices and ratios)."""
    now, _, entropy = log_probs(model, rows, stage.temperature)
    device = now.device
    sizes = torch.tensor([len(row.at) for row in rows], device=device)

    def spread(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, device=device).repeat_interleave(sizes)

    old = torch.cat([torch.from_numpy(row.old) for row in rows]).to(device)
    ref = torch.cat([torch.from_numpy(row.ref) for row in rows]).to(device)
    advantage, count = spread([row.advantage for row in rows]), spread([float(row.count) for row in rows])
    weight = spread([row.weight for row in rows])
    ratio = (now - old).exp()
    held = ratio.clamp(1 - stage.clip_low, 1 + stage.clip_high)
    gain = weight * torch.minimum(ratio * advantage, held * advantage)
    kl = k3(now, ref)
    value = (count * (stage.kl * kl - gain)).sum()
    with torch.no_grad():
        clipped = (ratio * advantage > held * advantage).float()
        sums = torch.stack([(count * x).sum() for x in (kl, entropy, clipped, ratio)]).cpu()
    return value, sums


def k3(now: torch.Tensor, ref: torch.Tensor) -> torch.Tensor:
    """exp(d) - d - 1 with d = ref - now: an estimate of KL(now || ref) from samples of `now`."""
    gap = ref - now
    return gap.exp() - gap - 1
