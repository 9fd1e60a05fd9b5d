"""Limits of an episode, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from hybrid_agent.types import Budget


@dataclass(frozen=True)
class LoopOptions:
    """Limits of one episode.

    `attempts` is how often a step may be tried: after a failed verification the workspace goes back to the
    start of the step, and later attempts sample at `retry_temperature` instead of decoding greedily.
    """

    max_steps: int = 40
    max_step_calls: int = 8
    attempts: int = 1
    retry_temperature: float = 0.7
    obs_chars: int = 600
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class EpisodeResult:
    """How an episode ended. `verified` is true only if the agent's own checks passed at the end."""

    status: str
    verified: bool
    summary: str
    turns: int
    tokens: int
    forced: int
    invalid: int
    denied: int
    infra: bool = False
