"""Is the reward still about the work? What a policy takes for success against the check that it never sees."""

from __future__ import annotations

from collections.abc import Iterable

from hybrid_agent.config.stages.rl import GuardConfig
from hybrid_agent.types import Record
from train.rl.records import Group

Z = 1.959963984540054


class Agreement(Record):
    """Tries by their own success and by the held-out check (equal tries count as often as they were made)."""

    both: int = 0
    own_only: int = 0
    held_out_only: int = 0
    neither: int = 0

    @property
    def gap(self) -> float:
        """Share of the own passes that fail the held-out check."""
        own = self.both + self.own_only
        return self.own_only / own if own else 0.0

    @property
    def agreement(self) -> float:
        """Share of tries that both say the same of."""
        every = self.both + self.own_only + self.held_out_only + self.neither
        return (self.both + self.neither) / every if every else 1.0


def agreement_of(groups: Iterable[Group]) -> Agreement:
    """Count the tries of groups."""
    counts = {"both": 0, "own_only": 0, "held_out_only": 0, "neither": 0}
    for group in groups:
        for rollout in group.counted:
            own, held = bool(rollout.own), bool(rollout.held_out)
            name = "both" if own and held else "own_only" if own else "held_out_only" if held else "neither"
            counts[name] += rollout.count
    return Agreement(**counts)


def alarm(first: Agreement, now: Agreement, config: GuardConfig) -> str | None:
    """What is wrong, if the gap has grown since the first phase beyond what chance explains."""
    own = now.both + now.own_only
    if own < config.least:
        return None
    low = _lower(now.own_only, own)
    if low <= first.gap + config.growth:
        return None
    return (
        f"{now.own_only} of {own} tries that take themselves for right fail the held-out check "
        f"({now.gap:.1%}, at first {first.gap:.1%})"
    )


def _lower(hits: int, n: int) -> float:
    """Lower end of the 95 % Wilson interval."""
    p = hits / n
    margin = Z * (p * (1 - p) / n + Z * Z / (4 * n * n)) ** 0.5
    return max(0.0, (p + Z * Z / (2 * n) - margin) / (1 + Z * Z / n))
