"""Check and execution of a call in one go, for a toolbox that is far away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hybrid_agent.types import Observation, ToolCall, Verdict


@dataclass(frozen=True)
class Acted:
    """What became of a call.

    Attributes:
        verdict: as `Toolbox.check` gives it.
        obs: as `Toolbox.execute` gives it; None: the gate did not allow the call.
        snapshot: the workspace before the call, if it may have changed something.
        gate_ms: milliseconds of the check, a person's time included.
    """

    verdict: Verdict
    obs: Observation | None = None
    snapshot: str | None = None
    gate_ms: float = 0.0


class ActingToolbox(Protocol):
    """A toolbox that checks a call and runs it at once if it is allowed: one message instead of two.

    The loop uses it in place of `check`, `snapshot` and `execute`.
    """

    def act(self, call: ToolCall) -> Acted:
        """What these three would have done."""
        ...
