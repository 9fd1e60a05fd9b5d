"""Writing traces: one JSONL file an episode, line by line, so that a kill loses at most the step in flight.

The lines are a header, one line a step, and an end:

    {"line":"header","format":1,"run_id":...,"goal":...,"seed":...,"workspace":...,"env":{},"provenance":{}}
    {"line":"step","step":{...}}
    {"line":"end","result":"success","summary":"...","tests":{...},"code_artifacts":[]}

A line counts once its newline is on disk. A file that holds no end line is an episode that was killed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from pydantic import Field

from hybrid_agent.errors import InputError, Suspended
from hybrid_agent.types import TRACE_FORMAT, CodeArtifact, Outcome, Record, Step, TestCounts

LINE = "line"


class Header(Record):
    """The first line: what is known before the first step."""

    format: int = TRACE_FORMAT
    run_id: str = Field(min_length=1)
    task_id: str | None = None
    goal: str
    seed: int = 0
    workspace: str = ""
    env: dict[str, str] = Field(default_factory=dict)
    provenance: dict[str, str] = Field(default_factory=dict)


class StepLine(Record):
    """A middle line."""

    step: Step


class End(Record):
    """The last line: how the episode ended."""

    result: Outcome
    summary: str = ""
    tests: TestCounts = TestCounts()
    code_artifacts: tuple[CodeArtifact, ...] = ()


class TraceWriter:
    """Writes one trace; every line is flushed and fsynced before the call returns.

    As a context manager it makes sure that there is an end: an exception that leaves the block ends the trace
    as `partial` when the person stopped it (KeyboardInterrupt) and as `infra_failure` otherwise. Only `Suspended`
    leaves it open.

    Args:
        path: the file to make; its folder must exist.
        redact: applied to every text before it is stored.
        listener: called with each step after it is stored (for a live view).
    """

    def __init__(
        self,
        path: Path,
        *,
        redact: Callable[[str], str] | None = None,
        listener: Callable[[Step], None] | None = None,
    ) -> None:
        self.path = path
        self._redact, self._listener = redact, listener
        self._file: IO[bytes] | None = None
        self._ended = False

    def start(
        self,
        goal: str,
        *,
        run_id: str,
        task_id: str | None = None,
        seed: int = 0,
        workspace: str = "",
        env: Mapping[str, str] | None = None,
        provenance: Mapping[str, str] | None = None,
    ) -> None:
        """Make the file with its header. The file appears whole: no reader ever sees half a header.

        Raises:
            InputError: there is a trace already; traces are never overwritten.
        """
        if self.path.exists():
            raise InputError("there is a trace already", where=str(self.path), fix="use another run directory")
        header = Header(
            run_id=run_id,
            task_id=task_id,
            goal=goal,
            seed=seed,
            workspace=workspace,
            env=dict(env or {}),
            provenance=dict(provenance or {}),
        )
        temp = self.path.with_name(self.path.name + ".new")
        self._file = temp.open("wb")
        self._write("header", header)
        temp.rename(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def resume(self) -> None:
        """Go on with a trace that has no end; a torn last line is cut off.

        Raises:
            InputError: there is no trace, or it cannot be opened.
        """
        try:
            file = self.path.open("r+b")
        except OSError as error:
            raise InputError(f"cannot open the trace: {error.strerror}", where=str(self.path)) from None
        data = file.read()
        file.truncate(data.rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        self._file = file

    def step(self, step: Step) -> None:
        """Store one finished turn, durably."""
        self._write("step", StepLine(step=step))
        if self._listener is not None:
            self._listener(step)

    def end(
        self,
        result: Outcome,
        summary: str = "",
        tests: TestCounts | None = None,
        code_artifacts: Sequence[CodeArtifact] = (),
    ) -> None:
        """Write the end line and close the file."""
        end = End(result=result, summary=summary, tests=tests or TestCounts(), code_artifacts=tuple(code_artifacts))
        self._write("end", end)
        self._ended = True
        self.close()

    def close(self) -> None:
        """Close the file as it is; idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unended = self._file is not None and not self._ended
        if unended and error is not None and not isinstance(error, Suspended):
            if isinstance(error, KeyboardInterrupt):
                self.end("partial", "stopped by the person")
            else:
                self.end("infra_failure", f"{type(error).__name__}: {error}")
        self.close()

    def _write(self, kind: str, record: Record) -> None:
        if self._file is None:
            raise RuntimeError("TraceWriter: start() was not called, or the trace has ended")
        body = {LINE: kind, **storable(record.model_dump(), self._redact)}
        self._file.write(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def storable(value: Any, redact: Callable[[str], str] | None) -> Any:
    """The value with every text redacted and writable as UTF-8.

    A lone surrogate is not; it may come in through a model's "\\ud800" or a file name. Redaction is done here and not
    on the finished line: cutting in JSON text could break its escapes.
    """
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode("utf-8")
        return redact(text) if redact is not None else text
    if isinstance(value, dict):
        return {storable(k, None): storable(v, redact) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [storable(v, redact) for v in value]
    return value
