"""`exec_code`: a Python or bash program, run in the sandbox."""

from __future__ import annotations

from typing import Literal

from hybrid_agent.tools.tool import Context, Tool, run_process
from hybrid_agent.types import CallPolicy, CodeArg, Observation, Record


class CodeArgs(Record):
    """`code` is a whole program; it runs in the workspace."""

    lang: Literal["python", "bash"]
    code: CodeArg


def run(context: Context, args: CodeArgs, policy: CallPolicy) -> Observation:
    """Run the program; a non-zero exit is a failed observation."""
    program = ["/usr/bin/python3", "-c"] if args.lang == "python" else ["/bin/bash", "-c"]
    return run_process(context, [*program, args.code], policy)


TOOL = Tool("exec_code", "a Python or bash program in the sandbox", CodeArgs, run, CallPolicy(timeout_s=20.0))
