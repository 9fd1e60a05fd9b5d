"""A tool call that did not work out. The toolbox turns it into an observation; it never reaches the caller."""

from __future__ import annotations

from hybrid_agent.errors import HybridAgentError


class ToolFailure(HybridAgentError):
    """The call failed for a reason the agent can read and act on.

    Args:
        reason: one line, without host paths.
        denied: name of the rule, when the call was stopped by one and not by circumstances.
    """

    def __init__(self, reason: str, *, denied: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.denied = denied
