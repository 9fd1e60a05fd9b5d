"""Limits of an episode, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from hybrid_agent.agent.select import SelectOptions
from hybrid_agent.types import Budget


@dataclass(frozen=True)
class LoopOptions:
    """Limits of one episode.

    `attempts` is how often a step may be tried: after a failed verification the workspace goes back to the
    start of the step, and the next attempt leaves out the call that is to blame (`agent.backtrack`). If that is the
    plan, or all attempts have failed, the episode begins again with another plan, of at most `attempts`.
    With more than one attempt, a step that passes its check but leaves doubt is kept, and up to `looks` other ways are
    tried (`agent.doubt`).
    Without a scheduler every turn draws `budget.k` candidates.
    """

    max_steps: int = 40
    max_step_calls: int = 8
    attempts: int = 1
    looks: int = 5
    obs_chars: int = 600
    budget: Budget = field(default_factory=Budget)
    select: SelectOptions = field(default_factory=SelectOptions)


@dataclass(frozen=True)
class EpisodeResult:
    """How an episode ended. `verified` is true only if the agent's own checks passed at the end.

    `tokens` and `forced` count those of all candidates; `drawn`, `early`, `cancelled` and `vetoed` add up the turns'
    `Effort`.
    """

    status: str
    verified: bool
    summary: str
    turns: int
    tokens: int
    forced: int
    invalid: int
    denied: int
    infra: bool = False
    drawn: int = 0
    early: int = 0
    cancelled: int = 0
    vetoed: int = 0
