"""`shell`: one command line, run by bash in the sandbox."""

from __future__ import annotations

from hybrid_agent.tools.tool import Context, Tool, run_process
from hybrid_agent.types import CallPolicy, Observation, Record, ShellArg


class ShellArgs(Record):
    """`cmd` is given to `bash -c` in the workspace."""

    cmd: ShellArg


def run(context: Context, args: ShellArgs, policy: CallPolicy) -> Observation:
    """Run the command; a non-zero exit is a failed observation."""
    return run_process(context, ["/bin/bash", "-c", args.cmd], policy)


TOOL = Tool("shell", "one shell command in the sandbox", ShellArgs, run, CallPolicy(timeout_s=20.0))
