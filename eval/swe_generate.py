"""Patches for many instances: one worker process each core, one record and one trace an instance."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eval.swe_agent import AgentSettings, Solution, Solve, make_agent
from eval.swe_records import InstanceRecord, State, row_hash, store
from hybrid_agent.errors import HybridAgentError
from hybrid_agent.swe.bench.dataset import Row
from hybrid_agent.swe.bench.repos import check_patch, locate, tree

PR_SET_PDEATHSIG = 1
PREFIX = "hybrid-agent-swe-"
SCRATCH = "scratch"
RESTARTS = 3
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """One instance: its row, where its record goes, and where repositories are."""

    row: Row
    folder: Path
    root: str | None


_solve: Solve | None = None


def generate(jobs: Sequence[Job], settings: AgentSettings, workers: int, folder: Path) -> Iterator[InstanceRecord]:
    """Records as they are finished, in any order; each is stored before it is handed out.

    Closing the iterator ends the workers. If this process is killed they die with it.

    Args:
        jobs: what to do.
        settings: of the agent.
        workers: processes; 1 works in this process.
        folder: of the run; the place of temporary trees is noted there, so that the next start can remove them.
    """
    if not jobs:
        return
    with _scratch(folder) as scratch:
        if workers == 1:
            _start(settings, scratch, None)
            for job in jobs:
                yield work(job)
            return
        left = list(jobs)
        for _ in range(RESTARTS):
            done: set[str] = set()
            for record in _pool(left, settings, min(workers, len(left)), scratch):
                done.add(record.instance_id)
                yield record
            left = [job for job in left if job.row["instance_id"] not in done]
            if not left:
                return
        for job in left:
            yield _record(job.row, Solution("", "error"), None, "worker processes kept dying", 0.0)


def work(job: Job) -> InstanceRecord:
    """Solve one instance, check the patch on the base commit, store trace and record."""
    assert _solve is not None
    row, begun = job.row, time.perf_counter()
    instance, commit = row["instance_id"], str(row["base_commit"])
    solution, refused, failed = Solution("", "error"), None, ""
    try:
        repository = locate(str(row["repo"]), job.root)
        solution = _solve(row, repository, commit)
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


def _pool(jobs: Sequence[Job], settings: AgentSettings, workers: int, scratch: Path) -> Iterator[InstanceRecord]:
    """Work until all is done or a worker dies (killed for memory, say)."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    pool = ProcessPoolExecutor(
        max_workers=workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(settings, scratch, os.getpid()),
    )
    waiting = iter(jobs)
    running: dict[Future[InstanceRecord], Job] = {}
    try:
        for job in waiting:
            running[pool.submit(work, job)] = job
            if len(running) >= 2 * workers:
                break
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                del running[future]
                try:
                    yield future.result()
                except BrokenProcessPool:
                    return
                following = next(waiting, None)
                if following is not None:
                    running[pool.submit(work, following)] = following
    finally:
        _stop(pool)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _stop(pool: ProcessPoolExecutor) -> None:
    processes = list((pool._processes or {}).values())  # no public way to end running work at once
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(timeout=10)
        if process.is_alive():
            process.kill()


def _start(settings: AgentSettings, scratch: Path, parent: int | None) -> None:
    global _solve
    if parent is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which stops us
        signal.signal(signal.SIGTERM, _leave)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    tempfile.tempdir = str(scratch)
    _solve = make_agent(settings)


def _leave(number: int, frame: object) -> None:
    raise SystemExit


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
