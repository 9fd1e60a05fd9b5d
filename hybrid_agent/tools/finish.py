"""`finish`: end the episode and say how it went."""

from __future__ import annotations

from typing import Literal

from hybrid_agent.tools.tool import Context, Tool, said
from hybrid_agent.types import CallPolicy, Observation, Record, TextArg


class FinishArgs(Record):
    """`status` is the agent's own verdict; `summary` one line for the person."""

    status: Literal["done", "failed", "unsure"]
    summary: TextArg


def run(context: Context, args: FinishArgs, policy: CallPolicy) -> Observation:
    """Nothing acts; the loop ends on this call."""
    return said(args.status)


TOOL = Tool("finish", "end with a verdict", FinishArgs, run)
