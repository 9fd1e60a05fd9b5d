"""The energy model: E(x) = E_model(x) + lambda . f(x), with one head and one lambda a domain.

The trunk reads window and candidate as text; its states over the candidate are pooled and, with the features, go
through a small MLP a domain. With a trunk that starts as the decoder, trained on the decoder's own samples against
what happened when they ran, this is the residual energy model of Deng et al. 2020 (arXiv:2004.11714).
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedModel

from hybrid_agent.scorer.encode import Batch
from hybrid_agent.scorer.features import BAD_COUNT, DECODER_START, FEATURES
from hybrid_agent.traces.domains import DOMAINS

Tensor = torch.Tensor
MAX_SCALE = 20.0


class EnergyModel(nn.Module):
    """Trunk, heads and feature weights.

    Args:
        trunk: a base model (no language head), or None: features only.
        hidden: width of the heads.
        dropout: of the heads' input, in training.
    """

    def __init__(self, trunk: PreTrainedModel | None, hidden: int = 64, dropout: float = 0.1) -> None:
        super().__init__()
        self.trunk, self.hidden = trunk, hidden
        self.width = int(trunk.config.hidden_size) if trunk is not None else 0
        count = len(DOMAINS)
        inputs = 3 * self.width + len(FEATURES)
        self.head_norm = nn.LayerNorm(3 * self.width) if self.width else None
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, 1))
            for _ in range(count)
        )
        for head in self.heads:
            nn.init.normal_(cast(nn.Linear, cast(nn.Sequential, head)[3]).weight, std=0.02)
        # Flat, so that no optimizer takes them for matrices. softplus(-1) is 0.31.
        self.raw_bad = nn.Parameter(torch.full((count * BAD_COUNT,), -1.0))
        self.free = nn.Parameter(torch.zeros(count * (len(FEATURES) - BAD_COUNT)))
        self.bias = nn.Parameter(torch.zeros(count))
        self.log_scale = nn.Parameter(torch.zeros(1))

    @property
    def feature_weights(self) -> Tensor:
        """lambda, (domains, features); those of known-bad features are positive."""
        bad = F.softplus(self.raw_bad).view(len(DOMAINS), -1)
        return torch.cat([bad, self.free.view(len(DOMAINS), -1)], 1)

    @property
    def scale(self) -> Tensor:
        """1 / temperature of the ranking loss, at most 20."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def forward(self, batch: Batch | None, features: Tensor, domain: Tensor) -> Tensor:
        """Energies, float32 (C,).

        Args:
            batch: the text of the candidates; None if there is no trunk.
            features: (C, features).
            domain: int64 (C,), index into DOMAINS.
        """
        return self.energy(self.pooled(batch) if batch is not None else None, features, domain)

    def pooled(self, batch: Batch) -> Tensor:
        """Text states (C, 3 D) of the candidates in a batch."""
        assert self.trunk is not None
        inputs: dict[str, Any] = {"input_ids": batch.ids, "attention_mask": batch.mask()}
        if batch.packed:
            inputs["position_ids"] = batch.positions
        if getattr(self.trunk.config, "model_type", "") == "llama":
            inputs["use_cache"] = False
        states: Tensor = self.trunk(**inputs).last_hidden_state
        longest = int(batch.size.max())
        offsets = torch.arange(longest, device=states.device)
        inside = offsets < batch.size[:, None]  # (C, L)
        at = batch.start[:, None] + torch.minimum(offsets, batch.size[:, None] - 1)
        return pool(states[batch.row[:, None], at], inside)

    def energy(self, pooled: Tensor | None, features: Tensor, domain: Tensor) -> Tensor:
        """Energies (C,) from pooled states (C, 3 D) and features (C, F)."""
        with torch.autocast(features.device.type, enabled=False):
            parts = [features]
            if pooled is not None and self.head_norm is not None:
                parts.insert(0, self.head_norm(pooled.float()))
            x = torch.cat(parts, 1)
            each = torch.cat([head(x) for head in self.heads], 1)  # (C, domains)
            modelled = each.gather(1, domain[:, None])[:, 0]
            return modelled + (self.feature_weights[domain] * features).sum(1)


def pool(states: Tensor, inside: Tensor) -> Tensor:
    """Last, mean and greatest state over a candidate's tokens: (C, L, D) and bool (C, L) to (C, 3 D).

    The last state has seen everything; mean and maximum let a single odd token show.
    """
    states = states.float()
    size = inside.sum(1, keepdim=True)
    last = states[torch.arange(len(states), device=states.device), size[:, 0] - 1]
    mean = (states * inside[..., None]).sum(1) / size
    most = states.masked_fill(~inside[..., None], -math.inf).amax(1)
    return torch.cat([last, mean, most], 1)


def drop_features(features: Tensor, share: float, all_share: float = 0.1) -> Tensor:
    """Training features with some left out: each with probability `share`, the decoder's own ones together, and all
    of them in `all_share` of the rows (so that the text alone must be enough).

    Uses torch's global generator.
    """
    if share == 0:
        return features
    rows, count = features.shape
    keep = torch.rand(rows, count, device=features.device) >= share
    keep[:, DECODER_START:] = torch.rand(rows, 1, device=features.device) >= share
    keep &= torch.rand(rows, 1, device=features.device) >= all_share
    return features * keep


def trunk_from_config(config: dict[str, Any]) -> PreTrainedModel:
    """An untrained trunk of the shape that `config` (a Hugging Face config as a dictionary) describes."""
    settings = dict(config)
    made = AutoConfig.for_model(settings.pop("model_type"), **settings)
    build: Any = AutoModel.from_config
    return cast(PreTrainedModel, build(made, dtype=torch.float32))
