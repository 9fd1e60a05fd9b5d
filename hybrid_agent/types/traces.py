"""Episodes as they are stored."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hybrid_agent.types.calls import Observation, Verdict
from hybrid_agent.types.candidates import Segment
from hybrid_agent.types.compute import Control, Effort, Schedule
from hybrid_agent.types.record import Record
from hybrid_agent.types.window import Window

TRACE_FORMAT = 1


class StepMs(Record):
    """Milliseconds spent in each part of one step."""

    plan: float = 0.0
    decode: float = 0.0
    score: float = 0.0
    gate: float = 0.0
    tool: float = 0.0


class Step(Record):
    """One turn of the loop as it is stored. `snapshot` is of the workspace before a call that may change it, `kept` of
    what a step has done that passed its check, where the agent looks for a better way all the same."""

    action: Literal["plan", "tool", "gen", "review"]
    content: str
    window: Window | None = None
    control: Control = Control()
    schedule: Schedule | None = None
    effort: Effort | None = None
    candidates: tuple[Segment, ...] = ()
    verdict: Verdict | None = None
    obs: Observation | None = None
    ok: bool = False
    snapshot: str | None = None
    kept: str | None = None
    ms: StepMs = StepMs()


class CodeArtifact(Record):
    """A source file the episode wrote; `ast` is a hash of its syntax tree (or of its text)."""

    path: str
    lang: str
    ast: str


class TestCounts(Record):
    """What the episode's checks said."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    logs: str = ""


Outcome = Literal["success", "fail", "partial", "infra_failure"]


class Trace(Record):
    """A whole episode, as read back from its JSONL file (header line, step lines, end line)."""

    format: int = TRACE_FORMAT
    run_id: str
    task_id: str | None = None
    goal: str
    seed: int = 0
    workspace: str = ""
    steps: tuple[Step, ...] = ()
    code_artifacts: tuple[CodeArtifact, ...] = ()
    tests: TestCounts = TestCounts()
    env: dict[str, str] = Field(default_factory=dict)
    provenance: dict[str, str] = Field(default_factory=dict)
    result: Outcome | None = None
    summary: str = ""
