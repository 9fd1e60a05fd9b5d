"""Many tasks over the cores: one process a worker, each with its own decoder and one thread of arithmetic.

Workers are spawned, not forked: a forked copy of a process with torch threads can hang.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from types import FrameType

from eval.episode import EpisodeSettings, infra_result, remove, run_task
from eval.result import TaskResult
from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.hybrid import Hybrid, make_hybrid
from hybrid_agent.assemble.parts import HybridSpec, find_parts
from hybrid_agent.config.hybrid import HybridConfig
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.types import Task

Agent = str | HybridSpec

GOLD = "gold"  # instead of a decoder: replay each task's gold calls
RESTARTS = 3
PR_SET_PDEATHSIG = 1
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

_hybrid: Hybrid | None = None
_settings = EpisodeSettings()


def default_workers() -> int:
    """One per core that this process may use."""
    return len(os.sched_getaffinity(0))


def run_tasks(
    tasks: Sequence[Task], agent: str | HybridSpec, settings: EpisodeSettings, workers: int
) -> Iterator[TaskResult]:
    """Results as they come, in any order. Closing the iterator (or Ctrl-C) stops the workers.

    A worker that dies (killed for memory, say) costs the tasks in flight: these become masked results.

    Args:
        tasks: what to run.
        agent: a hybrid; or a decoder as text, with the parts that lie beside it; or `gold`.
        settings: of every episode.
        workers: processes.
    """
    if not tasks:
        return
    spec = agent if agent == GOLD or not isinstance(agent, str) else find_parts(parse_decoder(agent), HybridConfig())
    if workers == 1:
        # In this process: nothing to start, and a debugger works. (Ctrl-C then interrupts the episode itself.)
        _start(spec, settings, ignore_interrupt=False)
        for task in tasks:
            yield _run(task)
        return
    # One folder for all: what a killed worker leaves behind goes with it.
    scratch = Path(tempfile.mkdtemp(prefix="hybrid-agent-eval-"))
    try:
        yield from _pools(tasks, spec, replace(settings, scratch=scratch), workers)
    finally:
        remove(scratch)


def _pools(tasks: Sequence[Task], agent: Agent, settings: EpisodeSettings, workers: int) -> Iterator[TaskResult]:
    left = list(tasks)
    for _ in range(RESTARTS):
        done: set[str] = set()
        for result in _one_pool(left, agent, settings, workers):
            done.add(result.task_id)
            yield result
        left = [task for task in left if task.id not in done]
        if not left:
            return
    for task in left:
        yield infra_result(task, "worker processes kept dying")


def _one_pool(tasks: Sequence[Task], agent: Agent, settings: EpisodeSettings, workers: int) -> Iterator[TaskResult]:
    """Run tasks until all are done or a worker dies; tasks that had not started then have no result."""
    with _one_thread():
        pool = ProcessPoolExecutor(
            max_workers=min(workers, len(tasks)),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(agent, settings, True),
        )
        waiting = iter(tasks)
        running: dict[Future[TaskResult], Task] = {}
        try:
            for task in waiting:
                running[pool.submit(_run, task)] = task
                if len(running) >= workers * 2:
                    break
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    task = running.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        yield infra_result(task, "the worker process died")
                        for other in running.values():
                            yield infra_result(other, "the worker process died")
                        return
                    following = next(waiting, None)
                    if following is not None:
                        running[pool.submit(_run, following)] = following
        finally:
            _stop(pool)


def _stop(pool: ProcessPoolExecutor) -> None:
    processes = list((pool._processes or {}).values())  # no public way to end running work at once
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(timeout=5)
        if process.is_alive():
            process.kill()


class _one_thread:
    """Environment of spawned workers: one thread each, they are as many as there are cores."""

    def __enter__(self) -> None:
        self.before = {name: os.environ.get(name) for name in THREADS}
        os.environ.update(dict.fromkeys(THREADS, "1"))

    def __exit__(self, *exc: object) -> None:
        for name, value in self.before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start(agent: Agent, settings: EpisodeSettings, ignore_interrupt: bool) -> None:
    global _hybrid, _settings
    if ignore_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which stops us
        signal.signal(signal.SIGTERM, _leave)
        _die_with_parent()
    _settings = settings
    _hybrid = None if isinstance(agent, str) else make_hybrid(agent)
    if not isinstance(agent, str) and agent.decoder.kind in ("tiny", "hf"):
        import torch

        torch.set_num_threads(1)


def _die_with_parent() -> None:
    """Get SIGTERM when the parent is killed: it could not stop us then."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:  # it died before that
        raise SystemExit


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit  # so that workspaces and sandboxes are cleaned up on the way out


def _run(task: Task) -> TaskResult:
    return run_task(task, _hybrid or ScriptedDecoder(task.gold), _settings)
