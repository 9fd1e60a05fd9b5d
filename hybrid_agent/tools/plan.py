"""`plan`: set the steps, or mark the current step done by a check that is evaluated in the sandbox."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.tool import Context, Tool, said
from hybrid_agent.types import CallPolicy, Check, ClauseArg, Observation, Record


class PlanSet(Record):
    """Replace the plan."""

    op: Literal["set"]
    steps: Annotated[list[ClauseArg], Field(min_length=1, max_length=12)]


class PlanDone(Record):
    """The current step is done if the check passes."""

    op: Literal["done"]
    check: Check


PlanArgs = Annotated[PlanSet | PlanDone, Field(discriminator="op")]


def run(context: Context, args: PlanArgs, policy: CallPolicy) -> Observation:
    """Set the plan, or verify the current step and move on."""
    plan = context.plan
    if isinstance(args, PlanSet):
        plan.steps, plan.index = tuple(args.steps), 0
        return said(f"{len(plan.steps)} steps")
    result = context.verify([args.check])[0]
    if not result.ok:
        raise ToolFailure(f"not done: {result.detail}")
    plan.index += 1
    return said("step done")


TOOL = Tool("plan", "the steps of the work", PlanArgs, run)
