"""What failed attempts have shown to be wrong: the next one goes the same way but for one call.

A failed attempt is blamed on the call that was most probably the first wrong one, P(i) = (1 - p_i) * prod(p_j, j < i),
where p is how certain a call was to be right: the plan, and the step's calls that changed something or failed. The next
attempt may not make that call at that place; what it does instead is chosen as ever, among more candidates. This is
limited discrepancy search (Harvey and Ginsberg, 1995), one discrepancy an attempt, placed by the models' own doubt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hybrid_agent.types import Segment, Window

Place = tuple[str, ...]  # the plan, which of its steps, and the calls of the step so far


@dataclass(frozen=True)
class _Made:
    place: Place
    text: str
    acted: bool
    certainty: float


class Backtrack:
    """The calls of the present attempt at a step, and all that were blamed so far in the episode."""

    def __init__(self) -> None:
        self._plan: _Made | None = None
        self._made: list[_Made] = []
        self._wrong: dict[Place, set[str]] = {}
        self.wrong_steps: list[str] = []

    def note(self, window: Window, text: str, *, acted: bool, certainty: float) -> None:
        """Remember a call of the present attempt.

        Args:
            window: it was chosen in.
            text: as stored (`window.call_text`).
            acted: it changed something, or failed; what only looked is not to blame.
            certainty: how sure it was to be right, 0 to 1.
        """
        made = _Made(_place(window), text, acted, certainty)
        if window.phase == "plan":
            self._plan = made
        else:
            self._made.append(made)

    def failed(self, *, may_plan: bool) -> bool:
        """The attempt has failed: blame a call. True: the plan is to blame, so begin with another one.

        Args:
            may_plan: there may be another plan.
        """
        plan = [self._plan] if may_plan and self._plan is not None else []
        suspects = [*plan, *(made for made in self._made if made.acted)] or self._made[-1:]
        if not suspects:
            return False
        right, doubts = 1.0, []
        for made in suspects:
            doubts.append(right * (1.0 - made.certainty))
            right *= made.certainty
        first = suspects[doubts.index(max(doubts))]
        self._blame(first)
        return first is self._plan

    def replan(self, step: str | None = None) -> None:
        """The plan is to blame: every attempt at one of its steps has failed, or this `step` is more than one."""
        if self._plan is not None:
            self._blame(self._plan)
        if step is not None and step not in self.wrong_steps:
            self.wrong_steps.append(step)

    def wrong(self, window: Window) -> frozenset[str]:
        """Calls that failed attempts are blamed on, at this place."""
        return frozenset(self._wrong.get(_place(window), ()))

    def step_done(self) -> None:
        """The attempt has succeeded."""
        self._made = []

    def _blame(self, made: _Made) -> None:
        self._wrong.setdefault(made.place, set()).add(made.text)
        self._made = []


def certainty(segment: Segment) -> float:
    """The energy model's calibrated probability, else the decoder's own, of the whole call."""
    return segment.p if segment.p is not None else math.exp(min(0.0, segment.logprob))


def _place(window: Window) -> Place:
    return (window.phase, *window.steps, str(window.index), *(exchange.call for exchange in window.exchanges))
