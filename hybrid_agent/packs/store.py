"""Stored tasks: reading and writing tasks.jsonl, and laying out a task's workspace."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.packs.pack import SPLITS, load_pack
from hybrid_agent.protocols import Sandbox
from hybrid_agent.types import SetupItem, Split, Task

TASKS = "tasks.jsonl"


def read_tasks(path: Path) -> list[Task]:
    """All tasks of a JSONL file.

    Raises:
        InputError: naming file, line, field and the fix.
    """
    if not path.is_file():
        raise InputError("no such task file", where=str(path), fix="run: python -m task_packs.generate")
    tasks = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if line.strip():
            tasks.append(parse_task(line, f"{path}:{number}"))
    return tasks


def parse_task(line: str, where: str) -> Task:
    """One task from its JSON text.

    Raises:
        InputError: naming `where`, the field and the fix.
    """
    try:
        return Task.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(p) for p in first["loc"]) or "(whole line)"
        raise InputError(first["msg"], where=where, field=field, fix="see docs/packs.md for the format") from None


def write_tasks(path: Path, tasks: Iterable[Task]) -> None:
    """Write tasks atomically, defaults left out, one JSON object a line."""
    temp = path.with_suffix(".tmp")
    lines = [task_json(task) for task in tasks]
    temp.write_text("\n".join(lines) + "\n")
    temp.replace(path)


def task_json(task: Task) -> str:
    """A task as one compact JSON line (check kinds are kept although they are defaults)."""
    data = json.loads(task.model_dump_json(exclude_defaults=True))
    data["checks"] = [{"kind": c.kind, **d} for c, d in zip(task.checks, data["checks"], strict=True)]
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def load_tasks(pack: str, split: Split | None = None) -> list[Task]:
    """Stored tasks of a pack, all or of one split."""
    if split is not None and split not in SPLITS:
        raise InputError(f"no split named {split!r}", field="split", fix=f"use one of: {', '.join(SPLITS)}")
    tasks = read_tasks(load_pack(pack).folder / TASKS)
    return [task for task in tasks if split is None or task.split == split]


def pack_hash(pack: str) -> str:
    """SHA-256 of the stored tasks: results are only comparable under the same hash."""
    return hashlib.sha256((load_pack(pack).folder / TASKS).read_bytes()).hexdigest()


def prepare_workspace(items: Iterable[SetupItem], sandbox: Sandbox) -> None:
    """Put a task's starting files into the sandbox's (fresh) workspace.

    Raises:
        SandboxError: a setup command failed.
    """
    for item in items:
        target = sandbox.workspace / item.path
        if item.run is not None:
            done = sandbox.run(["/bin/bash", "-c", f"cd -- {_quoted(item.path)} && {item.run}"], timeout_s=20)
            if done.exit_code != 0:
                raise SandboxError(f"setup command failed: {item.run!r}: {done.stderr[-300:]}")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if item.dir:
            target.mkdir(exist_ok=True)
        elif item.link is not None:
            target.symlink_to(item.link)
        else:
            data = base64.b64decode(item.b64) if item.b64 is not None else (item.text or "").encode()
            target.write_bytes(data)
        if item.mode is not None:
            target.chmod(int(item.mode, 8))


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "'\\''") + "'"
