"""The directory of one evaluation: results as they come, traces, report; done tasks carry over to the next attempt.

runs/eval/<suite>/<attempt>/results.jsonl   one line a task, as it finishes
                            identity.json   what the results depend on, with its hash
                            traces/         one trace a task
                            report.html     the report for people
                            manifest.json   written last
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.result import TaskResult, read_results
from hybrid_agent.runs.atomic import write_json
from hybrid_agent.runs.layout import attempts, new_attempt

STAGE = "eval"


@dataclass
class Attempt:
    """One evaluation directory, open for appending."""

    path: Path
    identity: dict[str, Any]
    done: dict[str, TaskResult] = field(default_factory=dict)
    taken_from: Path | None = None

    @property
    def traces(self) -> Path:
        """Folder of the traces."""
        return self.path / "traces"

    def add(self, result: TaskResult) -> None:
        """Store a result durably."""
        with (self.path / "results.jsonl").open("ab") as file:
            file.write(result.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.done[result.task_id] = result


def open_attempt(root: Path, suite: str, identity: dict[str, Any], wanted: Iterable[str], resume: bool) -> Attempt:
    """A new attempt; with `resume` it takes over what earlier attempts with the same identity found out.

    Results that were masked (infrastructure failures) are not taken over: they are tried again.
    """
    digest = identity_hash(identity)
    earlier = [path for path in reversed(attempts(root, STAGE, suite)) if resume and _identity_of(path) == digest]
    attempt = Attempt(new_attempt(root, STAGE, suite), identity)
    attempt.traces.mkdir()
    write_json(attempt.path / "identity.json", {"hash": digest, **identity})
    ids = set(wanted)
    for path in earlier:
        for task_id, result in read_results(path / "results.jsonl").items():
            if task_id in ids and task_id not in attempt.done and not result.infra:
                trace = path / "traces" / result.trace
                if result.trace and trace.is_file():
                    os.link(trace, attempt.traces / result.trace)
                attempt.add(result)
                attempt.taken_from = attempt.taken_from or path
    return attempt


def identity_hash(identity: dict[str, Any]) -> str:
    """SHA-256 of everything that the results depend on."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def source_hash() -> str:
    """SHA-256 of the library's Python source: results of other code are other results."""
    root = Path(__file__).resolve().parents[1] / "hybrid_agent"
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _identity_of(path: Path) -> str | None:
    try:
        return str(json.loads((path / "identity.json").read_text())["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
