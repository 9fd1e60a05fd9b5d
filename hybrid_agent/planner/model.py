"""The planner's network: a slow GRU that sets a plan, and worker blocks that refine an answer for each segment.

After the hierarchical reasoning model (Wang et al. 2025), keeping what its analyses found to matter: weight-shared
refinement passes with deep supervision and full gradients inside a pass, and full back-propagation through the
GRU's ticks (an episode has few).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybrid_agent.config.stages.hrm import PlannerConfig
from hybrid_agent.planner.state import feature_count, phi_size


@dataclass(frozen=True)
class StateBatch:
    """The turns of several episodes, one after the other. M turns, S segments (a tick and the turns until the next).

    Attributes:
        index, value: active features of all turns, int64 and float32 (n,).
        offsets: where each turn's features start, int64 (M,).
        segment: the segment of each turn, int64 (M,).
        first: the turn at which each segment begins, int64 (S,).
        episode, order: the episode of each segment and its number within it, int64 (S,).
    """

    index: Tensor
    value: Tensor
    offsets: Tensor
    segment: Tensor
    first: Tensor
    episode: Tensor
    order: Tensor


class Outputs(NamedTuple):
    """What the heads say of each turn (M, ...): logits of tools, experts, hazards (M, horizon), deliberation (M,)."""

    tool: Tensor
    expert: Tensor
    hazard: Tensor
    deliberate: Tensor


class Block(nn.Module):
    """Pre-norm gated MLP with a residual connection, (M, width) -> (M, width)."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus its update."""
        gate, up = self.up(self.norm(x)).chunk(2, -1)
        return x + F.dropout(self.down(F.silu(gate) * up), self.dropout, self.training)


class PlannerNet(nn.Module):
    """The network.

    Args:
        config: sizes and variant.
        tools, experts: how many names the two priors are over.
    """

    def __init__(self, config: PlannerConfig, tools: int, experts: int) -> None:
        super().__init__()
        self.config = config
        self.sizes = [tools, experts, config.horizon, 1]
        w, h, flat = config.width, config.hidden, config.variant == "flat"
        self.table = nn.Parameter(torch.randn(feature_count(config), w) / w**0.5)
        self.norm_state = nn.LayerNorm(w)
        if not flat:
            self.cell = nn.GRUCell(2 * w, h)
            self.to_plan = nn.Linear(h, h)
            self.to_key = nn.Linear(h, phi_size(), bias=False)
        self.enter = nn.Linear(w if flat else w + h, w)
        self.blocks = nn.ModuleList(Block(w, inner_width(config), config.dropout) for _ in range(config.blocks))
        self.norm_out = nn.LayerNorm(w)
        self.heads = nn.Linear(w, sum(self.sizes))
        with torch.no_grad():
            self.heads.weight.mul_(0.1)
            self.heads.bias.zero_()
            self.heads.bias[tools + experts :] = -2.0  # failures are rare

    def forward(self, batch: StateBatch) -> tuple[list[Outputs], Tensor | None]:
        """Return the outputs after each pass (all of M turns), and the plans g (S, hidden); `flat` has no plans."""
        s = self.embed(batch.index, batch.value, batch.offsets)
        if self.config.variant == "flat":
            return self.work(s, None), None
        plans = self._plans(s, batch)
        seen = plans
        if self.config.variant == "shuffled_g" and not self.training:
            order = torch.randperm(len(plans), generator=torch.Generator().manual_seed(0))
            seen = plans[order.to(plans.device)]
        return self.work(s, seen[batch.segment]), plans

    def embed(self, index: Tensor, value: Tensor, offsets: Tensor) -> Tensor:
        """State embeddings s (M, width) of M turns."""
        if self.training and self.config.dropout:
            value = F.dropout(value, self.config.dropout)
        bags: Tensor = F.embedding_bag(index, self.table, offsets, per_sample_weights=value, mode="sum")
        out: Tensor = self.norm_state(bags)
        return out

    def tick(self, s: Tensor, before: Tensor, state: Tensor) -> Tensor:
        """The GRU's next state (B, hidden).

        Args:
            s: state embedding now (B, width).
            before: mean embedding since the last tick (B, width), zero at an episode's first.
            state: the GRU's state (B, hidden).
        """
        out: Tensor = self.cell(torch.cat([s, before], -1), state)
        return out

    def work(self, s: Tensor, g: Tensor | None) -> list[Outputs]:
        """Refine: the heads' outputs after each pass. z is carried from pass to pass, its gradient is not."""
        entered = self.enter(s if g is None else torch.cat([s, g], -1))
        z = torch.zeros_like(entered)
        passes = 1 if self.config.variant == "flat" else self.config.passes
        out = []
        for _ in range(passes):
            x = z + entered
            for number, block in enumerate(self.blocks):
                if self.config.variant == "one_step" and number == len(self.blocks) - 1:
                    x = x.detach() + (entered - entered.detach())  # the last update sees the input as if injected
                x = block(x)
            z = self.norm_out(x)
            tool, expert, hazard, deliberate = self.heads(z).float().split(self.sizes, -1)
            out.append(Outputs(tool, expert, hazard, deliberate[:, 0]))
            z = z.detach()
        return out

    def _plans(self, s: Tensor, batch: StateBatch) -> Tensor:
        """g of every segment (S, hidden)."""
        count = len(batch.first)
        total = s.new_zeros(count, s.shape[1]).index_add(0, batch.segment, s)
        sizes = torch.bincount(batch.segment, minlength=count)[:, None]
        mean = (total / sizes.clamp_min(1)).roll(1, 0) * (batch.order > 0)[:, None]
        episodes, longest = int(batch.episode.max()) + 1, int(batch.order.max()) + 1
        at = (batch.order, batch.episode)
        now, before = s.new_zeros(2, longest, episodes, s.shape[1]).unbind(0)
        now, before = now.index_put(at, s[batch.first]), before.index_put(at, mean.to(s.dtype))
        state = s.new_zeros(episodes, self.config.hidden)
        states = []
        for tick in range(longest):  # what runs after an episode's last tick is never read
            if self.config.variant == "one_step":
                state = state.detach()
            state = self.tick(now[tick], before[tick], state)
            states.append(state)
        out: Tensor = self.to_plan(torch.stack(states)[at])
        return out


def inner_width(config: PlannerConfig) -> int:
    """Inner width of a block: twice the width; wider in `flat`, by as many parameters as the plan takes elsewhere."""
    inner, w, h = 2 * config.width, config.width, config.hidden
    if config.variant != "flat":
        return inner
    plan = 3 * h * (2 * w + h + 2) + h * (h + 1) + h * phi_size() + h * w
    return inner + round(plan / (3 * w * config.blocks))


def risk_within(hazard: Tensor) -> Tensor:
    """Probability of a failure within 1..H turns, 1 - Π(1 - h_k), (..., H) from hazard logits (..., H)."""
    return 1 - torch.exp(F.logsigmoid(-hazard).cumsum(-1))
