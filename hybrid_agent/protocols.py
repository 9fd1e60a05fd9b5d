"""The parts the agent loop sees, and the sandbox they act in. One page; nothing else is shared.

In-process parts, gRPC clients and scripted doubles implement the same protocols, so that the command
line, the served agent, RL rollouts and benchmarks run one loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from hybrid_agent.types import (
    Budget,
    Check,
    CheckResult,
    Control,
    Observation,
    Schedule,
    Score,
    Segment,
    ToolCall,
    Verdict,
    Window,
)


class Decoder(Protocol):
    """Proposes candidate segments (JSON tool calls) for a window."""

    def propose(
        self,
        window: Window,
        budget: Budget,
        control: Control,
        watch: Callable[[Segment], bool] | None = None,
    ) -> Sequence[Segment]:
        """Return 1..budget.k candidates, each one whole tool call as JSON text.

        `watch` is told of each candidate as it is finished; when it returns True the unfinished ones are cancelled.
        A backend that writes candidates in one piece may call it late.
        """
        ...


class Scorer(Protocol):
    """Gives each candidate an energy; lower is better."""

    def score(self, window: Window, candidates: Sequence[Segment]) -> Sequence[Score]:
        """Return energy and calibrated pass probability of each candidate, same order."""
        ...


class Planner(Protocol):
    """Sets priors, risk and deliberation before each segment."""

    def step(self, window: Window) -> Control:
        """Return the control for the next segment."""
        ...


class Scheduler(Protocol):
    """Spends compute where it pays: how many candidates, and how they are written."""

    def first(self, control: Control) -> Schedule:
        """The schedule of the greedy candidate."""
        ...

    def more(self, control: Control, greedy: Segment) -> Schedule:
        """The schedule of the whole turn once the greedy candidate is there (scored, or `p` is None); k = 1: enough."""
        ...

    def again(self, schedule: Schedule) -> Schedule:
        """The schedule of a second round, after every candidate of the first was vetoed."""
        ...


class Toolbox(Protocol):
    """Gate, tools, snapshots: everything that touches the workspace."""

    def check(self, call: ToolCall) -> Verdict:
        """Judge a call without acting. Invalid args are a refusal whose reason names the field."""
        ...

    def execute(self, call: ToolCall) -> Observation:
        """Run an allowed call. Tool failures are observations; only broken machinery raises."""
        ...

    def verify(self, checks: Sequence[Check]) -> Sequence[CheckResult]:
        """Evaluate checks on the workspace, inside the sandbox."""
        ...

    def files(self) -> Sequence[str]:
        """Capped listing of the workspace (folders end in '/'), relative paths, sorted."""
        ...

    def snapshot(self) -> str:
        """Save the workspace; returns the snapshot id."""
        ...

    def rollback(self, snapshot: str) -> None:
        """Restore the workspace to the snapshot, byte-, mode- and link-identical."""
        ...


class Memory(Protocol):
    """What worked before."""

    def retrieve(self, query: str, k: int) -> Sequence[str]:
        """Return up to k notes for the query, best first."""
        ...

    def remember(self, note: str, provenance: Mapping[str, str]) -> None:
        """Store one note with its provenance."""
        ...


class Completed(Protocol):
    """The end of one sandboxed process."""

    exit_code: int
    stdout: str
    stderr: str
    duration_ms: float
    timed_out: bool
    killed_by: str | None  # the limit that ended it: "wall", "memory", "output", ... or None


class Sandbox(Protocol):
    """Runs a process on one workspace, cut off from everything else."""

    workspace: Path  # the host's path; inside it is always /workspace, the working directory

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_s: float = 8.0,
        env: Mapping[str, str] | None = None,
        writable: bool = True,
    ) -> Completed:
        """Run argv in the workspace. Non-zero exits and limits are results; only a broken sandbox raises.

        Raises:
            hybrid_agent.errors.SandboxError: the sandbox itself could not start.
        """
        ...

    def close(self) -> None:
        """Free what the sandbox holds; idempotent."""
        ...
