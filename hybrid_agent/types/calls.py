"""A call, what the gate says of it, and what comes back."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hybrid_agent.types.record import Record


class CallPolicy(Record):
    """Per-call limits. `timeout_s` is wall seconds."""

    allow_network: bool = False
    timeout_s: float = Field(default=8.0, gt=0, le=600)


class ToolCall(Record):
    """One action. `args` is validated by the tool named in `tool` (hybrid_agent.tools.registry)."""

    tool: str
    args: dict[str, Any]
    policy: CallPolicy = CallPolicy()


class Observation(Record):
    """What a call produced. A failed or denied call is an observation like any other.

    `denied` names the rule that stopped the call; `infra` marks trouble that is not the agent's
    fault (such episodes are masked, never punished). `changed` lists workspace paths the call wrote.
    """

    ok: bool
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    artifacts: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    duration_ms: float = 0.0
    denied: str | None = None
    infra: bool = False


class Verdict(Record):
    """The gate's answer to one call, before anything acts. `fill` are limits that the gate put in place of the
    tool's default ones."""

    allow: bool
    rule: str = "default"
    reason: str = ""
    destructive: bool = False
    state_changing: bool = False
    approval: Literal["not_needed", "needed", "granted", "refused"] = "not_needed"
    fill: CallPolicy | None = None
