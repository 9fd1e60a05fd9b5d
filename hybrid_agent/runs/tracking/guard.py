"""Keeps a tracker's troubles away from the run: it works in a thread of its own, and fails there."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hybrid_agent.runs.tracking.backend import Backend, Cell, Warn

ROOM = 10_000  # calls that wait for a slow tracker; later ones are lost to it (not to metrics.jsonl)
Job = Callable[[Backend], None]


class Guarded:
    """A backend that returns at once and never raises.

    The first error ends the backend, with one warning; so does a full queue, and an end that takes longer than
    `patience_s`. A table or a picture that it cannot take is lost alone. Nothing that the run itself needs goes
    through here.

    Args:
        name: as people know it.
        make: opens the backend; called in the thread, where heavy imports and network waits belong.
    """

    def __init__(self, name: str, make: Callable[[], Backend], warn: Warn, patience_s: float, room: int = ROOM) -> None:
        self.name, self.warn, self.patience_s = name, warn, patience_s
        self._jobs: queue.Queue[Job | None] = queue.Queue(room)
        self._down = threading.Event()
        self._told = threading.Lock()
        self._thread = threading.Thread(target=self._work, args=(make,), name=f"tracking-{name}", daemon=True)
        self._thread.start()

    @property
    def down(self) -> bool:
        """It has failed, and is told nothing more."""
        return self._down.is_set()

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """See `Backend`."""
        copy = dict(values)
        self._put(lambda backend: backend.log(step, copy))

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """See `Backend`."""
        self._put(self._alone(f"table {name}", lambda backend: backend.table(name, columns, rows)))

    def image(self, name: str, path: Path) -> None:
        """See `Backend`."""
        self._put(self._alone(f"picture {name}", lambda backend: backend.image(name, path)))

    def summary(self, values: Mapping[str, object]) -> None:
        """See `Backend`."""
        self._put(lambda backend: backend.summary(values))

    def close(self) -> None:
        """Let it finish, at most `patience_s` seconds."""
        self._put(None)
        self._thread.join(self.patience_s)
        if self._thread.is_alive():
            self._fail(f"did not end within {self.patience_s:g} s")

    def _alone(self, what: str, job: Job) -> Job:
        def tried(backend: Backend) -> None:
            try:
                job(backend)
            except Exception as error:
                self.warn(f"{self.name} did not take the {what} ({_first_line(error)})")

        return tried

    def _put(self, job: Job | None) -> None:
        if self.down:
            return
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._fail("is too slow")

    def _fail(self, why: str) -> None:
        with self._told:
            if self.down:
                return
            self._down.set()
        self.warn(f"{self.name} {why}: it is told nothing more; the run goes on, metrics.jsonl has everything")

    def _work(self, make: Callable[[], Backend]) -> None:
        try:
            backend = make()
            while not self.down:
                job = self._jobs.get()
                if job is None:
                    backend.close()
                    return
                job(backend)
        except (Exception, SystemExit) as error:
            self._fail(f"failed ({_first_line(error)})")


def _first_line(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__
