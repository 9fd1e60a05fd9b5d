"""Optimizers and the learning-rate schedule."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from hybrid_agent.config.optim import OptimConfig


def adamw(parameters: Sequence[nn.Parameter], config: OptimConfig) -> torch.optim.AdamW:
    """AdamW, with weight decay for matrices only. A parameter that ZeRO-3 has spread knows its shape as `ds_shape`."""
    matrices = [p for p in parameters if len(getattr(p, "ds_shape", p.shape)) >= 2]
    known = {id(p) for p in matrices}
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if id(p) not in known], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(config.beta1, config.beta2), fused=True)


class Optimizers:
    """AdamW for everything, or Muon for the matrices inside the layers and AdamW for the rest. Frozen parameters are
    left out."""

    def __init__(self, model: nn.Module, config: OptimConfig) -> None:
        matrices = []
        if config.kind == "muon":
            matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n and "head" not in n]
            matrices = [p for p in matrices if p.requires_grad]
        chosen = {id(p) for p in matrices}
        rest = [p for p in model.parameters() if p.requires_grad and id(p) not in chosen]
        adam = adamw(rest, config)
        self.parts: list[tuple[torch.optim.Optimizer, float]] = [(adam, config.lr)]
        if matrices:
            muon = torch.optim.Muon(
                matrices, lr=config.matrix_lr, weight_decay=config.weight_decay, adjust_lr_fn="original"
            )
            self.parts.append((muon, config.matrix_lr))

    def step(self, scale: float) -> None:
        """One update with every learning rate multiplied by `scale`; clears the gradients."""
        for optimizer, lr in self.parts:
            for group in optimizer.param_groups:
                group["lr"] = lr * scale
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, object]]:
        """State of all parts, for a checkpoint."""
        return [optimizer.state_dict() for optimizer, _ in self.parts]

    def load_state_dict(self, states: list[dict[str, object]]) -> None:
        """Take back what `state_dict` gave."""
        for (optimizer, _), state in zip(self.parts, states, strict=True):
            optimizer.load_state_dict(state)


def micro_steps(optim: OptimConfig, world: int) -> int:
    """Batches that each rank takes for a step, so that all of them hold `global_tokens` (padding counts)."""
    return max(1, math.ceil(optim.global_tokens / (optim.batch_tokens * world)))


def lr_scale(done: float, warmup: float, final: float) -> float:
    """Linear warm-up, then a cosine down to `final`; `done` is the share of the run that is over (0..1)."""
    if done < warmup:
        return max(done / warmup, 1e-3)
    progress = min(1.0, (done - warmup) / (1 - warmup))
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))


class Average:
    """Exponential moving average of a model's weights (short memory at the start of training)."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = [p.detach().clone() for p in model.parameters()]

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards the present weights."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.weights, [p.detach() for p in model.parameters()], 1 - decay)

    @torch.no_grad()
    def swap(self, model: nn.Module) -> None:
        """Exchange averaged and present weights (call again to undo)."""
        for mine, theirs in zip(self.weights, model.parameters(), strict=True):
            kept = theirs.detach().clone()
            theirs.copy_(mine)
            mine.copy_(kept)
