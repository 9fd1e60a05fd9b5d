"""Doubt about a step that has passed its own check.

The check is the agent's own, so a step that was misread passes as easily as one that was read well ("sort a.txt and
move b.md" taken for one step, sorted, and b.md forgotten). Two things tell. People seldom name what is not needed: of
3,102 steps of training goals the gold calls of 36 leave out a name, all of them second choices ("..., or c.md if that
is there"), which are not held against a step. And the energy model gives calls of a misread step a low probability. A
step whose doubt, in nats, is above `DOUBTFUL` is kept as it is, another way is tried, and that with less doubt stands.
"""

from __future__ import annotations

import math
import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hybrid_agent.agent.evidence import Evidence
from hybrid_agent.agent.window import call_text
from hybrid_agent.constrain.clauses import may_end_within
from hybrid_agent.constrain.slips import WEIGHTS, Slips
from hybrid_agent.constrain.spans import step_text
from hybrid_agent.types import Observation, ToolCall, Window

DOUBTFUL = -math.log(0.3)  # of 20 steps with a call below 0.3, on training goals of 2 to 5 steps, 16 were wrong
LEAST = 1e-3  # calibrated probabilities end at about that
LOOKING = ("find", "list")  # operations that mention a name and do nothing with it
TURNS_A_STEP = 3
_CHOICE = re.compile(
    r"\b(?:if|or|else|otherwise|unless|when|already|taken|choice|fall(?:s|ing)? ?back)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Kept:
    """A way that passed, although there is doubt about it.

    Attributes:
        window: in which its last step was said to be done.
        check: of that step.
        evidence: of the steps before it.
        doubts: of each of its steps, the last one included.
        snapshot: the workspace as it left it.
    """

    window: Window
    check: dict[str, Any]
    evidence: Evidence
    doubts: tuple[float, ...]
    snapshot: str


class Doubts:
    """The doubt about the present way, and the way that is kept meanwhile.

    Args:
        looks: how many other ways are tried at most before the kept one stands.
    """

    def __init__(self, looks: int) -> None:
        self._looks = self._looks_left = looks
        self._said: list[str] = []
        self._sure = 1.0
        self._past: tuple[float, ...] = ()  # of the finished steps of the present plan
        self.kept: Kept | None = None

    def sure(self, window: Window, certainty: float) -> None:
        """How sure the call of this window was to be right."""
        if window.phase == "step":
            self._sure = min(self._sure, certainty)

    def note(self, call: ToolCall, obs: Observation) -> None:
        """A call of the present step was made."""
        if call.args.get("op") not in LOOKING:
            self._said += [call_text(call), obs.stdout]

    def of(self, window: Window) -> float:
        """The doubt about the present step, in nats: what it names that none of its calls mentions or has shown, and
        the call that was least sure to be right."""
        named = () if _CHOICE.search(step_text(window)) else Slips(window).unmentioned(self._said)
        return WEIGHTS["left_out"] * len(named) - math.log(max(self._sure, LEAST))

    def worth_a_look(self, window: Window, turns: int, most: int) -> bool:
        """Whether what was just said to be done is the best so far, and another way should be tried all the same."""
        if not self._may_look(window, turns, most):
            return False
        doubt = self.of(window)
        return doubt > DOUBTFUL and self.better(window, doubt)

    def keep(self, window: Window, doubt: float, check: dict[str, Any], evidence: Evidence, snapshot: str) -> None:
        """Keep the way that led here."""
        self.kept = Kept(window, check, deepcopy(evidence), (*self._past, doubt), snapshot)

    def look_again(self, window: Window, turns: int, most: int) -> bool:
        """Whether one more other way may be tried; counts it."""
        may = self._may_look(window, turns, most)
        self._looks_left -= 1
        return may

    @staticmethod
    def may_be_two(window: Window) -> bool:
        """Whether the step could be several: then the plan is to blame first."""
        return may_end_within(step_text(window))

    def better(self, window: Window, doubt: float) -> bool:
        """Whether there is less doubt about the way that has led to the end of this step than about the kept one."""
        kept = self.kept
        if kept is None:
            return True
        if kept.window.steps == window.steps:
            return window.index != kept.window.index or doubt < kept.doubts[-1]
        return sum(self._past) + doubt < sum(kept.doubts)

    def step_done(self, window: Window, doubt: float) -> None:
        """The step stands."""
        self._past = (*self._past, doubt)
        self.restarted()
        same_plan = self.kept is None or self.kept.window.steps == window.steps
        if same_plan or window.index + 1 == len(window.steps):
            self.kept, self._looks_left = None, self._looks

    def take_back(self) -> Kept:
        """Nothing better was found: what was kept is the present way again, its last step not yet done."""
        assert self.kept is not None
        kept, self.kept = self.kept, None
        self._past = kept.doubts[:-1]
        return kept

    def restarted(self) -> None:
        """The step begins again."""
        self._said, self._sure = [], 1.0

    def planned(self) -> None:
        """There is a new plan."""
        self.restarted()
        self._past = ()

    def _may_look(self, window: Window, turns: int, most: int) -> bool:
        """There must be turns left for doing everything once more."""
        return self._looks_left > 0 and turns + TURNS_A_STEP * len(window.steps) + 1 <= most
