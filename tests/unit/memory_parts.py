"""Calls, clocks and stores for the tests of memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hybrid_agent.assemble.memory import make_scanner
from hybrid_agent.config.memory import MemoryConfig
from hybrid_agent.memory.store import ColdMemory
from hybrid_agent.types import ToolCall

DAY = 86_400.0


def call(tool: str, **args: Any) -> ToolCall:
    return ToolCall(tool=tool, args=args)


def writing(goal: str, path: str, text: str) -> list[ToolCall]:
    """The calls of an episode that writes one file."""
    return [
        call("plan", op="set", steps=[goal]),
        call("fs", op="write", path=path, text=text),
        call("plan", op="done", check={"kind": "equals", "path": path, "text": text}),
        call("finish", status="done", summary="all checks passed"),
    ]


class Clock:
    """Unix seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += days * DAY


@contextmanager
def store(folder: Path, clock: Clock | None = None, **settings: Any) -> Iterator[ColdMemory]:
    """A memory with the real scanner; `mode` and fields of the config may be given."""
    mode = settings.pop("mode", "write")
    config = MemoryConfig.model_validate(settings)
    with ColdMemory.open(folder, config, mode=mode, scan=make_scanner(), clock=clock or Clock()) as memory:
        yield memory


def promoted(memory: ColdMemory, note: str, **provenance: str) -> int:
    """A note that a person has approved."""
    return memory.approve(memory.add(note, provenance).id, by="the test").id
