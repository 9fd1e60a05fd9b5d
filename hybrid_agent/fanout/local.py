"""Worker processes of this machine.

They are spawned, not forked: a forked copy of a process with torch threads can hang. They die with their parent.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from hybrid_agent.fanout.inside import THREADS, Inside, leave, leave_interrupts_to_parent
from hybrid_agent.fanout.parent import end_with_parent
from hybrid_agent.fanout.work import Event

PATIENCE_S = 10.0  # for workers that end


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    busy: bool = True  # preparing itself is work too


class LocalWorkers:
    """Implements `Workers`.

    Args:
        start: pickled `Start`.
    """

    def __init__(self, start: bytes) -> None:
        self._start = start
        self._workers: dict[int, _Worker] = {}
        self._next = 0

    def add(self) -> int:
        """Start a process."""
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_serve, args=(theirs, self._start), daemon=True)
        with _one_thread():
            process.start()
        theirs.close()  # so that its end is seen here
        number, self._next = self._next, self._next + 1
        self._workers[number] = _Worker(process, ours)
        return number

    def give(self, worker: int, item: Any) -> None:
        """Send an item."""
        found = self._workers[worker]
        found.busy = True
        with suppress(OSError):  # it has died; `wait` tells
            found.pipe.send_bytes(pickle.dumps(item))

    def wait(self, seconds: float | None) -> list[Event]:
        """Replies and deaths."""
        pipes = {worker.pipe: number for number, worker in self._workers.items()}
        return [self._hear(pipes[pipe]) for pipe in wait(list(pipes), seconds) if isinstance(pipe, Connection)]

    def close(self) -> None:
        """Those without work are asked to leave, the others get SIGTERM, and SIGKILL if that does not help."""
        for worker in self._workers.values():
            if worker.busy:
                worker.process.terminate()
            else:
                with suppress(OSError):
                    worker.pipe.send_bytes(b"")
        for worker in self._workers.values():
            worker.process.join(timeout=PATIENCE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def _hear(self, number: int) -> Event:
        worker = self._workers[number]
        try:
            kind, value = pickle.loads(worker.pipe.recv_bytes())
        except (EOFError, OSError):  # nobody holds the other end any more
            worker.process.join(timeout=PATIENCE_S)
            worker.process.kill()
            worker.pipe.close()
            del self._workers[number]
            return Event(number, "died", _how(worker.process.exitcode))
        worker.busy = False
        return Event(number, kind, value)


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    return signal.Signals(-code).name


@contextmanager
def _one_thread() -> Iterator[None]:
    """Environment of spawned workers: one thread each, they are as many as there are cores."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _serve(pipe: Connection, start: bytes) -> None:
    """The main function of a worker process."""
    leave_interrupts_to_parent()
    signal.signal(signal.SIGTERM, leave)
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:  # killed, it could not stop us
        end_with_parent(parent.pid, signal.SIGTERM)
    inside = Inside(start)
    try:
        pipe.send_bytes(inside.prepare())
        while item := pipe.recv_bytes():
            pipe.send_bytes(inside.run(item))
    except (EOFError, OSError):
        pass  # the parent is gone
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # cleaning up is not cut short
        inside.close()
