"""`ask`: a question to the person who gave the goal."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.tool import Context, Tool, said
from hybrid_agent.types import CallPolicy, Observation, Record

NOBODY = "nobody is there to answer; decide from what is known or finish as unsure"
QuestionArg = Annotated[str, Field(min_length=1, max_length=2000, json_schema_extra={"x-span": "text"})]


class AskArgs(Record):
    """The question, in one or two sentences."""

    question: QuestionArg


def run(context: Context, args: AskArgs, policy: CallPolicy) -> Observation:
    """Return the person's answer."""
    if context.answer is None:
        raise ToolFailure(NOBODY)
    answer = context.answer(args.question)
    if answer is None:
        raise ToolFailure("the person gave no answer; decide from what is known or finish as unsure")
    return said(answer)


TOOL = Tool("ask", "a question to the person", AskArgs, run)
