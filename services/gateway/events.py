"""What happens in an agent run, as events: the SSE data, the journal's lines, what the page and `watch` draw.

One event is one JSON object:

    {"id": 3, "run": "20260101-120000-a1b2c3", "type": "candidates", "at": 1767268800.5, "data": {...}}

`id` counts from 1 without gaps within a run; it is also the SSE `id:`, so a reader that comes back says the last one
it has seen. (No SSE `event:` is set, so every event reaches `onmessage`.) `type` decides the shape of `data`:

    run         RunData         the state changed; the last one of a run has a state of ENDED
    candidates  CandidatesData  a turn has its candidates scored and one of them chosen; nothing has acted yet
                                (told again if the gateway died before the turn's step)
    approval    ApprovalData    a destructive call waits for a person, or the answer to one
    step        a Step          one finished turn, exactly as in the trace's JSONL
    diff        DiffData        what the workspace's files look like now against the start of the run
    rollback    RollbackData    a person put the workspace back
    checks      ChecksData      what the agent's own step checks said; sent at the end

This module loads without fastapi, grpc or torch.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from hybrid_agent.types import Control, Record, Schedule, ToolCall

EventType = Literal["run", "candidates", "approval", "step", "diff", "rollback", "checks"]
RunState = Literal["queued", "running", "waiting", "done", "failed", "cancelled", "lost"]
ApprovalState = Literal["asked", "allowed", "denied", "expired"]

ENDED: tuple[RunState, ...] = ("done", "failed", "cancelled", "lost")


class Event(Record):
    """One thing that happened. `at` is in Unix seconds."""

    id: int
    run: str
    type: EventType
    at: float
    data: dict[str, Any]

    def line(self) -> str:
        """The event as one line of JSON, ASCII only, without a newline."""
        return json.dumps(self.model_dump(), ensure_ascii=True, separators=(",", ":"))


class RunResult(Record):
    """How the loop ended. `status` is the agent's word, `verified` whether every check held; `memory` says what the
    memory did with it."""

    status: str
    verified: bool
    summary: str
    infra: bool
    turns: int
    outcome: Literal["success", "fail", "partial", "infra_failure"]
    memory: tuple[str, ...] = ()


class RunData(Record):
    """A run's state. `result` is there when the loop came to an end, `reason` says why a run failed, was lost, was
    cancelled or was picked up again."""

    state: RunState
    goal: str
    result: RunResult | None = None
    reason: str | None = None


class CandidateData(Record):
    """One candidate call: `text` is its JSON, `energy` is better when lower, `p` the calibrated chance that it is
    right, `expert` the adapter that wrote it. `energy` and `p` are null where there is no scorer."""

    text: str
    logprob: float
    energy: float | None = None
    p: float | None = None
    expert: str | None = None
    vetoed: bool = False


class CandidatesData(Record):
    """The candidates of a turn (counted from 1), in the order of the trace; `chosen` is an index into them."""

    turn: int
    schedule: Schedule | None
    control: Control
    candidates: tuple[CandidateData, ...]
    chosen: int


class ApprovalData(Record):
    """A question to a person (`asked`) or what became of it. `approval` names it within the run; `expires` is the
    Unix time at which no answer means no."""

    approval: str
    call: ToolCall
    reason: str
    state: ApprovalState
    expires: float | None = None


class FileDiff(Record):
    """One file against its state before the run. `diff` is unified; empty where a side is not text, or is large."""

    path: str
    kind: Literal["added", "changed", "removed"]
    diff: str


class DiffData(Record):
    """All files that differ from the start of the run, by path. `cut` says that there was more than is shown."""

    files: tuple[FileDiff, ...]
    cut: bool = False


class RollbackData(Record):
    """The workspace was restored to snapshot `to`; null: the run had changed nothing."""

    to: str | None


class CheckData(Record):
    """One of the agent's own checks of a finished step."""

    step: str
    ok: bool
    detail: str = ""


class ChecksData(Record):
    """Checks in the order they were made."""

    results: tuple[CheckData, ...]
