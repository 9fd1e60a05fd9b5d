"""Pools of candidate solutions: JSON lines, one task a line, plain or gzip."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_agent.errors import InputError

FIELDS = ("task_id", "prompt", "entry_point", "candidates", "passed", "generated_tests")


@dataclass(frozen=True, slots=True)
class PoolTask:
    """One task: `prompt` is the code before a candidate, `candidates` are what a model wrote after it.

    `passed[i]` says whether candidate i passes the task's own (hidden) tests; it is a label, never a feature.
    `generated_tests` are assertions that a model wrote; many are wrong.
    """

    task_id: str
    prompt: str
    entry_point: str
    candidates: tuple[str, ...]
    passed: tuple[bool, ...]
    generated_tests: tuple[str, ...]

    def program(self, index: int) -> str:
        """The whole program of a candidate."""
        return self.prompt + self.candidates[index]


def read_pool(path: Path) -> list[PoolTask]:
    """Read a pool.

    Raises:
        InputError: no such file, or a line that is no task; names line and field.
    """
    if not path.is_file():
        raise InputError("no such file", where=str(path), field="pool", fix="pool=PATH of a .jsonl or .jsonl.gz file")
    tasks: list[PoolTask] = []
    lines: dict[str, int] = {}
    for number, line in _lines(path):
        where = f"{path}:{number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise InputError(f"not JSON: {error}", where=where, fix="write one JSON object on each line") from None
        task = _task(record, where)
        if task.task_id in lines:
            message = f"{task.task_id!r} is also on line {lines[task.task_id]}"
            raise InputError(message, where=where, field="task_id", fix="give each task a name of its own")
        lines[task.task_id] = number
        tasks.append(task)
    if not tasks:
        raise InputError("the pool holds no task", where=str(path), fix="write one JSON object on each line")
    return tasks


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as probe:
            packed = probe.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), fix="use UTF-8 text, plain or gzip") from None


def _task(record: Any, where: str) -> PoolTask:
    if not isinstance(record, dict):
        raise InputError("not a JSON object", where=where, fix="write an object with " + ", ".join(FIELDS))
    for name in FIELDS:
        if name not in record:
            raise InputError("is missing", where=where, field=name, fix="every task needs " + ", ".join(FIELDS))
    for name in ("task_id", "prompt", "entry_point"):
        _want(record[name], str, where, name, "a text")
    if not record["entry_point"].isidentifier():
        raise InputError("not the name of a function", where=where, field="entry_point", fix="name the function")
    for name, kind, what in (
        ("candidates", str, "a text"),
        ("passed", bool, "true or false"),
        ("generated_tests", str, "a text"),
    ):
        _want(record[name], list, where, name, "a list")
        for i, value in enumerate(record[name]):
            _want(value, kind, where, f"{name}[{i}]", what)
    if not record["candidates"]:
        raise InputError("is empty", where=where, field="candidates", fix="a task needs at least one candidate")
    if len(record["passed"]) != len(record["candidates"]):
        message = f"{len(record['passed'])} labels for {len(record['candidates'])} candidates"
        raise InputError(message, where=where, field="passed", fix="give one label for each candidate")
    return PoolTask(
        record["task_id"],
        record["prompt"],
        record["entry_point"],
        tuple(record["candidates"]),
        tuple(record["passed"]),
        tuple(record["generated_tests"]),
    )


def _want(value: Any, kind: type, where: str, field: str, what: str) -> None:
    if not isinstance(value, kind):
        raise InputError(f"is {json.dumps(value)[:60]}, not {what}", where=where, field=field, fix=f"write {what}")
