"""Doubt about a step that has passed its own check: nothing that was done mentions something that it names.

The check is the agent's own, so a step that was misread passes as easily as one that was read well ("sort a.txt and
move b.md" taken for one step, sorted, and b.md forgotten). But people seldom name what is not needed: of 3,102 steps of
training goals the gold calls of 36 leave out a name, all of them second choices ("..., or c.md if that is there"),
which are not doubted. So what was done is kept, another way is tried, and the one that leaves out less stands.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hybrid_agent.agent.evidence import Evidence
from hybrid_agent.constrain.clauses import joined
from hybrid_agent.constrain.slips import Slips
from hybrid_agent.constrain.spans import step_text
from hybrid_agent.types import Observation, ToolCall, Window

LOOKING = ("find", "list")  # operations that mention a name and do nothing with it
TURNS_A_STEP = 3
_CHOICE = re.compile(
    r"\b(?:if|or|else|otherwise|unless|when|already|taken|choice|fall(?:s|ing)? ?back)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Kept:
    """A way that passed, although it leaves something out.

    Attributes:
        window: in which its last step was said to be done.
        check: of that step.
        evidence: of the steps before it.
        left: how many names each step leaves out, this one last.
        snapshot: the workspace as it left it.
    """

    window: Window
    check: dict[str, Any]
    evidence: Evidence
    left: tuple[int, ...]
    snapshot: str


class Doubts:
    """What the present way leaves out, and the way that is kept meanwhile.

    Args:
        looks: how many other ways are tried at most before the kept one stands.
    """

    def __init__(self, looks: int) -> None:
        self._looks = self._looks_left = looks
        self._said: list[str] = []
        self._left: tuple[int, ...] = ()
        self.kept: Kept | None = None

    def note(self, call: ToolCall, obs: Observation) -> None:
        """A call of the present step was made."""
        if call.args.get("op") not in LOOKING:
            self._said += [call.model_dump_json(exclude_defaults=True), obs.stdout]

    def unmentioned(self, window: Window) -> int:
        """How many things the step names that none of its calls mentions or has shown."""
        return 0 if _CHOICE.search(step_text(window)) else len(Slips(window).unmentioned(self._said))

    def worth_a_look(self, window: Window, turns: int, most: int) -> bool:
        """Whether what was just said to be done is the best so far, and another way should be tried all the same."""
        return self._may_look(window, turns, most) and self.unmentioned(window) > 0 and self.better(window)

    def keep(self, window: Window, check: dict[str, Any], evidence: Evidence, snapshot: str) -> None:
        """Keep the way that led here."""
        left = (*self._left, self.unmentioned(window))
        self.kept = Kept(window, check, deepcopy(evidence), left, snapshot)

    def look_again(self, window: Window, turns: int, most: int) -> bool:
        """Whether one more other way may be tried; counts it."""
        may = self._may_look(window, turns, most)
        self._looks_left -= 1
        return may

    def _may_look(self, window: Window, turns: int, most: int) -> bool:
        """There must be turns left for doing everything once more."""
        return self._looks_left > 0 and turns + TURNS_A_STEP * len(window.steps) + 1 <= most

    @staticmethod
    def may_be_two(window: Window) -> bool:
        """Whether the step could be several: then the plan is to blame first."""
        return joined(step_text(window)) > 0

    def better(self, window: Window) -> bool:
        """Whether the way that has led to the end of this step leaves out less than the kept one."""
        kept, left = self.kept, self.unmentioned(window)
        if kept is None:
            return True
        if kept.window.steps == window.steps:
            return window.index != kept.window.index or left < kept.left[-1]
        return sum(self._left) + left < sum(kept.left)

    def step_done(self, window: Window, left: int) -> None:
        """The step stands; `left` is how many names it leaves out."""
        self._left, self._said = (*self._left, left), []
        kept = self.kept
        same_plan = kept is None or kept.window.steps == window.steps
        if same_plan or window.index + 1 == len(window.steps):
            self.kept, self._looks_left = None, self._looks

    def take_back(self) -> Kept:
        """Nothing better was found: what was kept is the present way again, its last step not yet done."""
        assert self.kept is not None
        kept, self.kept = self.kept, None
        self._left, self._said = kept.left[:-1], []
        return kept

    def restarted(self) -> None:
        """The step begins again."""
        self._said = []

    def planned(self) -> None:
        """There is a new plan."""
        self._said, self._left = [], ()
