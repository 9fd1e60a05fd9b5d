"""What a tool is: an args model, a run function and a policy default. One file per tool; `registry` collects them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hybrid_agent.protocols import Completed, Sandbox
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.workspace import Workspace
from hybrid_agent.types import CallPolicy, Check, CheckResult, Observation


@dataclass
class PlanState:
    """The agent's plan as its own calls made it: steps, and how many of them are done."""

    steps: tuple[str, ...] = ()
    index: int = 0


@dataclass
class Context:
    """What run functions may use. `answer` is a person to ask, or None when nobody is there."""

    workspace: Workspace
    sandbox: Sandbox
    verify: Callable[[Sequence[Check]], Sequence[CheckResult]]
    answer: Callable[[str], str | None] | None = None
    plan: PlanState = field(default_factory=PlanState)
    env: Mapping[str, str] = field(default_factory=dict)
    writable: bool = True  # False while a call that changes nothing runs


@dataclass(frozen=True)
class Tool:
    """One tool.

    Args:
        name: the value of "tool" in a call.
        about: one line for the docs.
        args: a pydantic model, or a union discriminated on `op`.
        run: does it; a ToolFailure becomes a failed observation.
        policy: default limits of a call.
    """

    name: str
    about: str
    args: Any
    run: Callable[[Context, Any, CallPolicy], Observation]
    policy: CallPolicy = field(default_factory=CallPolicy)


def said(text: str) -> Observation:
    """A plain success."""
    return Observation(ok=True, stdout=text)


def run_process(context: Context, argv: Sequence[str], policy: CallPolicy) -> Observation:
    """Run argv in the sandbox and report it; limits that ended it are named in stderr."""
    if policy.allow_network:
        raise ToolFailure("network access is not available in this sandbox", denied="network")
    done: Completed = context.sandbox.run(
        argv, timeout_s=policy.timeout_s, env=context.env or None, writable=context.writable
    )
    stderr = done.stderr
    if done.timed_out:
        stderr += f"\n[stopped after {policy.timeout_s:g} s]"
    elif done.killed_by:
        stderr += f"\n[stopped: {done.killed_by} limit]"
    return Observation(
        ok=done.exit_code == 0 and not done.timed_out and not done.killed_by,
        stdout=done.stdout,
        stderr=stderr.lstrip("\n"),
        exit_code=done.exit_code,
        duration_ms=done.duration_ms,
    )
