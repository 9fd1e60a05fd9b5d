"""What an episode has used so far."""

from __future__ import annotations

from dataclasses import dataclass

from hybrid_agent.types import Effort, Observation, Verdict


@dataclass
class Tally:
    """Sums over turns. `invalid` counts texts that were no valid call, `denied` calls that did not run."""

    turns: int = 0
    tokens: int = 0
    forced: int = 0
    invalid: int = 0
    denied: int = 0
    drawn: int = 0
    early: int = 0
    cancelled: int = 0
    vetoed: int = 0

    def add(self, effort: Effort, verdict: Verdict | None, obs: Observation) -> None:
        """Take in one turn; no verdict means that its text was no call."""
        self.tokens += effort.tokens
        self.forced += effort.forced
        self.drawn += effort.drawn
        self.early += effort.early
        self.cancelled += effort.cancelled
        self.vetoed += effort.vetoed
        self.invalid += verdict is None or verdict.rule == "schema"
        self.denied += obs.denied is not None
