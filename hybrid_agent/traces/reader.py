"""Reading traces back, whatever byte the writer was killed at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from hybrid_agent.config.explain import explain
from hybrid_agent.errors import InputError
from hybrid_agent.traces.store import LINE, End, Header, StepLine
from hybrid_agent.types import TRACE_FORMAT, Record, Step, Trace

R = TypeVar("R", bound=Record)


def read_trace(path: Path) -> Trace:
    """One episode. A torn last line is dropped; `result` is None if the episode was killed before its end.

    Raises:
        InputError: naming the line and the field that is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the trace: {error.strerror}", where=str(path), fix="list runs with: hybrid-agent runs"
        ) from None
    whole, _, _torn = data.rpartition(b"\n")
    lines = [line for line in enumerate(whole.split(b"\n"), 1) if line[1].strip()]
    if not lines:
        raise InputError("no header line: not a trace", where=str(path), fix="give the trace.jsonl of a run")
    number, first = lines[0]
    kind, body = _split(first, path, number)
    _known_format(kind, body, path)
    header = _record(Header, body, path, number)
    steps: list[Step] = []
    end: End | None = None
    for number, line in lines[1:]:
        kind, body = _split(line, path, number)
        where = f"{path}:{number}"
        if end is not None:
            raise InputError("text after the end line", where=where, fix="delete what follows the end line")
        if kind == "step":
            steps.append(_record(StepLine, body, path, number).step)
        elif kind == "end":
            end = _record(End, body, path, number)
        else:
            raise InputError(f"unknown kind of line {kind!r}", where=where, field=LINE, fix="use step or end")
    return Trace(
        **header.model_dump(),
        steps=tuple(steps),
        **(dict(end) if end is not None else {}),
    )


def _known_format(kind: str, body: dict[str, Any], path: Path) -> None:
    if kind != "header":
        raise InputError("the first line is not a header", where=f"{path}:1", field=LINE, fix="restore the header line")
    if body.get("format") != TRACE_FORMAT:
        raise InputError(
            f"trace format {body.get('format')!r}, this version reads {TRACE_FORMAT}",
            where=f"{path}:1",
            field="format",
            fix="read it with the version that wrote it",
        )


def _split(line: bytes, path: Path, number: int) -> tuple[str, dict[str, Any]]:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where=f"{path}:{number}", fix="restore or delete that line") from None
    if not isinstance(body, dict) or not isinstance(body.get(LINE), str):
        raise InputError("not a line of a trace", where=f"{path}:{number}", field=LINE, fix="delete that line")
    return body.pop(LINE), body


def _record(schema: type[R], body: dict[str, Any], path: Path, number: int) -> R:
    try:
        # From JSON, not from Python values: a list in JSON is a tuple of ours, and that is no coercion there.
        return schema.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise explain(error, schema, where=f"{path}:{number}") from None
