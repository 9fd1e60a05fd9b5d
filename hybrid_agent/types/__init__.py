"""The one definition of everything that crosses a part boundary.

All models are frozen and reject unknown fields. The JSON schema for constrained decoding, the JSONL trace format and
the proto mapping are derived from these classes. This package loads without torch.
"""

from __future__ import annotations

from hybrid_agent.types.arguments import ClauseArg, CodeArg, LineArg, ModeArg, PathArg, ShellArg, TextArg, WordArg
from hybrid_agent.types.calls import CallPolicy, Observation, ToolCall, Verdict
from hybrid_agent.types.candidates import Score, Segment
from hybrid_agent.types.checks import (
    AbsentCheck,
    Check,
    CheckResult,
    CommandCheck,
    ContainsCheck,
    EqualsCheck,
    ExistsCheck,
    LacksCheck,
    LinkCheck,
    MatchesCheck,
    MemberCheck,
    ModeCheck,
    NoValueCheck,
    SameCheck,
    ValueCheck,
)
from hybrid_agent.types.compute import Budget, Control, Effort, Schedule
from hybrid_agent.types.record import Record
from hybrid_agent.types.tasks import SetupItem, Split, Task
from hybrid_agent.types.traces import TRACE_FORMAT, CodeArtifact, Outcome, Step, StepMs, TestCounts, Trace
from hybrid_agent.types.window import Exchange, Window

__all__ = [
    "TRACE_FORMAT",
    "AbsentCheck",
    "Budget",
    "CallPolicy",
    "Check",
    "CheckResult",
    "ClauseArg",
    "CodeArg",
    "CodeArtifact",
    "CommandCheck",
    "ContainsCheck",
    "Control",
    "Effort",
    "EqualsCheck",
    "Exchange",
    "ExistsCheck",
    "LacksCheck",
    "LineArg",
    "LinkCheck",
    "MatchesCheck",
    "MemberCheck",
    "ModeArg",
    "ModeCheck",
    "NoValueCheck",
    "Observation",
    "Outcome",
    "PathArg",
    "Record",
    "SameCheck",
    "Schedule",
    "Score",
    "Segment",
    "SetupItem",
    "ShellArg",
    "Split",
    "Step",
    "StepMs",
    "Task",
    "TestCounts",
    "TextArg",
    "ToolCall",
    "Trace",
    "ValueCheck",
    "Verdict",
    "Window",
    "WordArg",
]
