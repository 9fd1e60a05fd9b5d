"""Patches for many instances: one worker process each core, one record and one trace an instance."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from eval.swe_agent import AgentSettings, Solution, Solve, make_agent
from eval.swe_records import InstanceRecord, State, row_hash, store
from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.errors import HybridAgentError
from hybrid_agent.fanout.run import fan_out
from hybrid_agent.swe.bench.dataset import Row
from hybrid_agent.swe.bench.repos import check_patch, locate, tree

PREFIX = "hybrid-agent-swe-"
SCRATCH = "scratch"


@dataclass(frozen=True)
class Job:
    """One instance: its row, where its record goes, and where repositories are."""

    row: Row
    folder: Path
    root: str | None


def generate(
    jobs: Sequence[Job],
    settings: AgentSettings,
    workers: int,
    folder: Path,
    said: Callable[[str], None] = lambda line: None,
) -> Iterator[InstanceRecord]:
    """Records as they are finished, in any order; each is stored before it is handed out.

    Closing the iterator ends the workers. If this process is killed they die with it. An instance whose worker dies
    is tried again; if that does not help its record says so, and is not stored.

    Args:
        jobs: what to do.
        settings: of the agent.
        workers: processes; 1 works in this process.
        folder: of the run; the place of temporary trees is noted there, so that the next start can remove them.
        said: takes a line for people when a worker dies.
    """
    if not jobs:
        return
    with _scratch(folder) as scratch:
        start = partial(solver, settings, scratch)
        with closing(fan_out(jobs, start, FanoutConfig(workers=workers), said=said)) as outcomes:
            for outcome in outcomes:
                row = outcome.item.row
                yield outcome.value or _record(row, Solution("", "error"), None, outcome.lost or "", 0.0)


@contextmanager
def solver(settings: AgentSettings, scratch: Path) -> Iterator[Callable[[Job], InstanceRecord]]:
    """A worker: its agent is made once."""
    tempfile.tempdir = str(scratch)
    solve = make_agent(settings)
    yield lambda job: work(job, solve)


def work(job: Job, solve: Solve) -> InstanceRecord:
    """Solve one instance, check the patch on the base commit, store trace and record."""
    row, begun = job.row, time.perf_counter()
    instance, commit = row["instance_id"], str(row["base_commit"])
    solution, refused, failed = Solution("", "error"), None, ""
    try:
        repository = locate(str(row["repo"]), job.root)
        solution = solve(row, repository, commit)
        if solution.patch.strip():
            with tree(repository, commit) as folder:
                refused = check_patch(solution.patch, folder)
    except HybridAgentError as error:
        failed = str(error)
    except Exception:  # one instance must not end a run of thousands; the trace keeps what went wrong
        failed = traceback.format_exc(limit=8)
    record = _record(row, solution, refused, failed, time.perf_counter() - begun)
    applies = {"patch": True, "does_not_apply": False}.get(record.state)
    trace = {
        "format": 1,
        "instance_id": instance,
        "repo": row["repo"],
        "base_commit": commit,
        "problem_statement": row["problem_statement"],
        "record": record.model_dump(mode="json"),
        "apply_check": {"command": "git apply --check", "applies": applies, "said": refused or ""},
        "error": failed,
        **solution.trace,
    }
    store(job.folder, record, trace)
    return record


def _record(row: Row, solution: Solution, refused: str | None, failed: str, seconds: float) -> InstanceRecord:
    state: State = "patch"
    patch, reason = solution.patch, solution.reason
    if failed:
        state, patch, reason = "error", "", failed.strip().splitlines()[-1]
    elif not solution.patch.strip():
        state, patch = "empty", ""
        reason = reason or f"the agent found no patch ({solution.status})"
    elif refused is not None:
        state, reason = "does_not_apply", f"git apply: {refused}"
    return InstanceRecord(
        instance_id=row["instance_id"],
        row=row_hash(row),
        state=state,
        patch=patch,
        reason=reason,
        status=solution.status,
        test_runs=solution.test_runs,
        tokens=solution.tokens,
        seconds=round(seconds, 3),
    )


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A temporary folder for all trees; that of an earlier run which was killed is removed first."""
    note = folder / SCRATCH
    if note.is_file():
        old = Path(note.read_text(encoding="utf-8").strip())
        if old.name.startswith(PREFIX) and old.is_dir() and not old.is_symlink() and old.stat().st_uid == os.getuid():
            shutil.rmtree(old, ignore_errors=True)
    before = tempfile.tempdir
    scratch = Path(tempfile.mkdtemp(prefix=PREFIX))
    note.write_text(f"{scratch}\n", encoding="utf-8")
    try:
        yield scratch
    finally:
        tempfile.tempdir = before
        shutil.rmtree(scratch, ignore_errors=True)
        note.unlink(missing_ok=True)
