"""The events of one run on disk: one JSON line each, flushed and fsynced before anybody is told of it.

Event number N is line number N, so readers need no index, and a gateway that was killed finds everything that its
clients may have seen.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import BaseModel

from hybrid_agent.tools.redact import redact
from hybrid_agent.traces.store import storable
from services.gateway.events import Event, EventType

JOURNAL = "events.jsonl"


class Journal:
    """Writes and announces the events of one run. Safe to use from several threads.

    A torn last line, of a gateway that was killed while it wrote, is cut off.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self.path, self.run = folder / JOURNAL, run
        self._lock = threading.Lock()
        self._watchers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._file: IO[bytes] | None = None
        self.count = 0

    def open(self) -> None:
        """Get ready to write; makes the file if it is not there."""
        with self._lock:
            self._open()

    def append(self, kind: EventType, data: BaseModel) -> Event:
        """Store one event, secrets cut out, then wake those who wait for it."""
        with self._lock:
            file = self._open()
            body = storable(data.model_dump(mode="json"), redact)
            event = Event(id=self.count + 1, run=self.run, type=kind, at=round(time.time(), 3), data=body)
            file.write(event.line().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self.count += 1
        self.wake()
        return event

    def wake(self) -> None:
        """Let everyone who waits look again."""
        with self._lock:
            for event, loop in self._watchers.items():
                if not loop.is_closed():
                    loop.call_soon_threadsafe(event.set)

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """An event of this loop that is set whenever there is something new."""
        event, loop = asyncio.Event(), asyncio.get_running_loop()
        with self._lock:
            self._watchers[event] = loop
        try:
            yield event
        finally:
            with self._lock:
                del self._watchers[event]

    def close(self) -> None:
        """Close the file; `append` opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _open(self) -> IO[bytes]:
        if self._file is None:
            made = not self.path.exists()
            self._file = self.path.open("a+b")
            self._file.seek(0)
            data = self._file.read()
            self._file.truncate(data.rfind(b"\n") + 1)
            self.count = data.count(b"\n")
            if made:
                folder = os.open(self.path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        return self._file


class Reader:
    """Reads a journal from after event number `after`, again and again; half-written lines are left for later."""

    def __init__(self, path: Path, after: int = 0) -> None:
        self._path, self._skip, self._offset, self._number = path, after, 0, 0

    def read(self) -> list[tuple[int, str]]:
        """The new events: number and line."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        if not newline:
            return []
        self._offset += len(whole) + 1
        lines = whole.split(b"\n")
        first, self._number = self._number + 1, self._number + len(lines)
        return [(n, line.decode()) for n, line in enumerate(lines, first) if n > self._skip]


def read_events(path: Path, after: int = 0) -> list[Event]:
    """All whole events after number `after`."""
    return [Event.model_validate(json.loads(line)) for _, line in Reader(path, after).read()]
