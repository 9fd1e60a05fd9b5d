"""What the agent's own checks said, read from the steps that made them."""

from __future__ import annotations

from collections.abc import Iterable

from hybrid_agent.agent.select import parse_call
from hybrid_agent.types import Step
from services.gateway.events import CheckData


def step_checks(steps: Iterable[Step]) -> tuple[CheckData, ...]:
    """The checks in order, each with the step of the plan that it was to prove."""
    found = []
    for step in steps:
        call = parse_call(step.content)
        if call is None or call.tool != "plan" or call.args.get("op") != "done" or step.obs is None:
            continue
        window = step.window
        name = window.steps[window.index] if window is not None and window.index < len(window.steps) else ""
        found.append(CheckData(step=name, ok=step.obs.ok, detail="" if step.obs.ok else step.obs.stderr))
    return tuple(found)
