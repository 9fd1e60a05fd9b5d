"""Work for the fan-out tests: what an item does can depend on how often it was begun before."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.errors import InputError


@dataclass(frozen=True)
class Job:
    """`deaths` kill the worker, then `failures` give no result; a job that `hangs` does so the first time only."""

    number: int
    deaths: int = 0
    failures: int = 0
    hangs: bool = False
    wrong: bool = False


@contextmanager
def worker(folder: Path) -> Iterator[Callable[[Job], int]]:
    mark = folder / f"worker-{os.getpid()}"
    mark.write_text(os.environ.get("OMP_NUM_THREADS", ""))
    yield lambda job: square(job, folder)
    mark.with_suffix(".left").touch()


def square(job: Job, folder: Path) -> int:
    """The square of its number, or -1 where the machinery failed."""
    before = tries(folder, job.number)
    (folder / f"{job.number}-{before}-{os.getpid()}.try").touch()
    if before < job.deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    if job.wrong:
        raise InputError("is not a number", field="number")
    if job.hangs and not before:
        time.sleep(600)
    return -1 if before < job.deaths + job.failures else job.number**2


def failed(value: int) -> bool:
    return value < 0


def tries(folder: Path, number: int) -> int:
    return len(list(folder.glob(f"{number}-*.try")))


@contextmanager
def stillborn(folder: Path) -> Iterator[Callable[[Job], int]]:
    (folder / f"stillborn-{os.getpid()}").touch()
    os.kill(os.getpid(), signal.SIGKILL)
    yield lambda job: 0
