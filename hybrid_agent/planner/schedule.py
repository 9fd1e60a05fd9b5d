"""The adaptive compute scheduler: three rules on entropy, margin and risk (design.md, section 5). No torch here.

    entropy low and margin wide   one candidate, speculation on
    risk high                     twice as many, deliberation, speculation off
    otherwise                     k_base candidates, with a second expert before more candidates

A single candidate has no margin in energy; what stands for it is how close its least likely choice came to falling
otherwise (`Segment.low`) and, where it is scored, its calibrated probability.
"""

from __future__ import annotations

from hybrid_agent.config.hybrid import Thresholds
from hybrid_agent.types import Control, Schedule, Segment

FIRST, FAST, BASE, RISK, AGAIN = "first", "fast", "base", "risk", "again"


class Scheduler:
    """Implements `hybrid_agent.protocols.Scheduler`.

    Args:
        rules: the thresholds.
        draft: a draft model is there, so speculation may be asked for.
    """

    def __init__(self, rules: Thresholds | None = None, draft: bool = False) -> None:
        self.rules, self.draft = rules or Thresholds(), draft

    def first(self, control: Control) -> Schedule:
        """The greedy candidate."""
        return Schedule(
            deliberate=self._risky(control),
            speculate=self.draft and not self._risky(control),
            shaping=self.rules.alpha,
            why=FIRST,
        )

    def more(self, control: Control, greedy: Segment) -> Schedule:
        """The whole turn; k = 1 says that the greedy candidate is enough."""
        rules, begun = self.rules, self.first(control)
        if self._risky(control):
            k = max(min(rules.k_max, 2 * rules.k_base), rules.k_base)
            change: dict[str, object] = {"k": k, "temperature": rules.temperature_high, "deliberate": True}
            return begun.model_copy(
                update={**change, "expert_depth": self.rules.depth, "speculate": False, "why": RISK}
            )
        if self.sure(greedy):
            return begun.model_copy(update={"why": FAST})
        change = {"k": rules.k_base, "temperature": rules.temperature, "expert_depth": self.rules.depth, "why": BASE}
        return begun.model_copy(update=change)

    def again(self, schedule: Schedule) -> Schedule:
        """Twice as many at a higher temperature, deliberating."""
        k = max(2, min(self.rules.k_max, 2 * max(schedule.k, 2)))
        change = {"k": k, "temperature": self.rules.temperature_high, "deliberate": True, "speculate": False}
        return schedule.model_copy(update={**change, "expert_depth": self.rules.depth, "why": AGAIN})

    def sure(self, greedy: Segment) -> bool:
        """Is the greedy call enough? An unscored one is judged by the decoder's own certainty alone."""
        rules = self.rules
        certain = greedy.complete and greedy.entropy <= rules.tau_entropy and greedy.low >= rules.tau_low
        return certain and (greedy.p is None or greedy.p >= rules.tau_p)

    def _risky(self, control: Control) -> bool:
        return self.rules.risky(control.risk, control.deliberate)
