"""All sessions of the tools service: found by name, put aside when idle, opened again when they are asked for."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hybrid_agent.errors import Overloaded
from hybrid_agent.tools.policy_model import PolicyModel
from services.session import Session, SessionInfo
from services.wire import session_of


class Sessions:
    """Safe to use from several threads.

    Args:
        root: a folder for each session; made with mode 0700.
        gate: the policy classifier, if any.
        most: sessions open at a time; one that is idle gives way to a new one.
        idle_s: seconds after which one that nobody uses is put aside.
    """

    def __init__(self, root: Path, gate: PolicyModel | None = None, *, most: int = 256, idle_s: float = 900.0) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root, self._gate, self._most, self._idle_s = root, gate, most, idle_s
        self._open: dict[str, Session] = {}
        self._users: dict[str, int] = {}
        self._doors: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def open(self, info: SessionInfo) -> tuple[Session, bool]:
        """Make a session, or find the one that was made alike; True if it is new.

        Raises:
            InputError: it was made otherwise, or its setup is bad.
            Overloaded: as many as may be open are in use.
        """
        folder = self.root / session_of(info.session)
        with self._door(info.session):
            known = self._open.get(info.session)
            if known is not None and known.info.model_copy(update={"ready": False}) == info:
                return known, False
            if known is None:
                self._room()
            session, new = Session.make(folder, info, self._gate)
            with self._lock:
                self._open[info.session] = session
            return session, new

    @contextlib.contextmanager
    def using(self, name: str) -> Iterator[Session]:
        """A session, which is not put aside while inside.

        Raises:
            NotFound: there is none of that name.
            Overloaded: as many as may be open are in use.
        """
        folder = self.root / session_of(name)
        with self._door(name):
            session = self._open.get(name)
            if session is None:
                self._room()
                session = Session.find(folder, self._gate)
                with self._lock:
                    self._open[name] = session
            with self._lock:
                self._users[name] = self._users.get(name, 0) + 1
        try:
            yield session
        finally:
            with self._lock:
                self._users[name] -= 1
                if not self._users[name]:
                    del self._users[name]

    def close(self, name: str, *, remove: bool = False) -> None:
        """Free a session; with `remove` its folder goes too. One that is not there is no error."""
        folder = self.root / session_of(name)
        with self._door(name):
            with self._lock:
                session = self._open.pop(name, None)
            if session is not None:
                session.close()
            if remove:
                shutil.rmtree(folder, ignore_errors=True)
        with self._lock:
            self._doors.pop(name, None)

    def sweep(self) -> None:
        """Put aside what was idle for too long."""
        now = time.monotonic()
        with self._lock:
            idle = [name for name, one in self._open.items() if now - one.used > self._idle_s]
        for name in idle:
            self._put_aside(name)

    def close_all(self) -> None:
        """Free everything."""
        for name in list(self._open):
            self.close(name)

    def __len__(self) -> int:
        return len(self._open)

    def _room(self) -> None:
        """Make room for one more."""
        while len(self._open) >= self._most:
            with self._lock:
                free = [name for name in self._open if name not in self._users]
                oldest = min(free, key=lambda name: self._open[name].used, default=None)
            if oldest is None or not self._put_aside(oldest):
                raise Overloaded(f"{self._most} sessions are in use")

    def _put_aside(self, name: str) -> bool:
        with self._lock:
            if name in self._users:
                return False
            session = self._open.pop(name, None)
        if session is not None:
            session.close()
        return True

    def _door(self, name: str) -> threading.Lock:
        """One at a time opens or closes a session of that name."""
        with self._lock:
            return self._doors.setdefault(name, threading.Lock())
