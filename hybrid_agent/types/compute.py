"""What the planner and the scheduler allow a turn, and what it cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types.record import Record


class Control(Record):
    """What the planner tells the decode loop. Priors are probabilities over names."""

    tool_prior: dict[str, float] = Field(default_factory=dict)
    expert_prior: dict[str, float] = Field(default_factory=dict)
    risk: float = 0.0
    deliberate: bool = False


class Budget(Record):
    """Compute for one segment: candidates `k`, new tokens, sampling temperature (0 = greedy).

    `speculate` lets a draft model propose tokens (never changes what is written, only how fast); `shaping` is the
    strength α of the energy model's logit shaping, 0 = the plain decoder. `expert_depth` is how many experts may
    take part in a segment. `draw` says how candidates differ: each a sample; branches of the greedy text, which are
    all different (hybrid_agent.decoder.branches); or what is written greedily when things have other names
    (hybrid_agent.decoder.aliases). Decoders that cannot rename branch, and those that cannot branch sample.
    """

    k: int = Field(default=1, ge=1, le=64)
    draw: Literal["sample", "branch", "rename"] = "sample"
    max_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    seed: int = 0
    speculate: bool = False
    shaping: float = Field(default=0.0, ge=0, le=10)
    expert_depth: int = Field(default=1, ge=1, le=8)


class Schedule(Record):
    """Compute for one turn, as the scheduler sets it; `why` names the rule that did.

    `k` counts all candidates of the turn. `deliberate` asks for the deliberation template.
    """

    k: int = Field(default=1, ge=1, le=64)
    temperature: float = Field(default=0.0, ge=0)
    deliberate: bool = False
    speculate: bool = False
    shaping: float = Field(default=0.0, ge=0, le=10)
    expert_depth: int = Field(default=1, ge=1, le=8)
    why: str = "fixed"


class Effort(Record):
    """What one turn's choice cost: candidates asked for (`k`), finished, and cancelled by an early exit.

    `tokens` counts those of all candidates, `forced` the ones among them without a forward pass of their own.
    `vetoed` counts candidates that the energy model stopped.
    """

    k: int = 1
    drawn: int = 1
    cancelled: int = 0
    early: bool = False
    tokens: int = 0
    forced: int = 0
    vetoed: int = 0
