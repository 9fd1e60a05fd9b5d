"""Runs one process to its end: feeds it, reads it within a cap, stops it at its limits.

The reading never grows past the caps, whatever the process prints, and nothing the process
started outlives the call where the launcher tells us the first process of its namespace.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hybrid_agent.errors import SandboxError
from hybrid_agent.tools.sandbox.stop import CANCELLED, current_stop

CHUNK = 65536
WATCH_S = 0.1
DYING_S = 20.0
LEFT_S = 0.5


@dataclass
class Ended:
    """Raw end of a process. `status` holds the launcher's own messages, merged."""

    exit_code: int = -1
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    truncated: bool = False
    killed_by: str | None = None
    status: dict[str, int] = field(default_factory=dict)
    duration_ms: float = 0.0


def open_first(status: Mapping[str, int]) -> int:
    """A descriptor of the jail's first process, -1 if it is gone. `status` is what the launcher said of it."""
    try:
        fd = os.pidfd_open(status["child-pid"])
    except ProcessLookupError:
        return -1
    with contextlib.suppress(OSError):
        # The id may have passed on to a stranger since: it must not be killed for that.
        if Path(f"/proc/{status['child-pid']}/ns/pid").stat().st_ino != status.get("pid-namespace"):
            os.close(fd)
            return -1
    return fd


class Capture:
    """One call. `keep` and `flood` are bytes: kept of each stream, and read in all before the call is killed."""

    def __init__(self, *, keep: int, flood: int, watch: Callable[[], str | None] | None = None) -> None:
        self._keep, self._flood, self._watch = keep, flood, watch
        self._ended = Ended()
        self._read = 0
        self._raw_status = b""
        self._first = -1  # pidfd of the namespace's first process

    def start(
        self, argv: Sequence[str], *, stdin: bytes, pass_fds: Sequence[int], env: Mapping[str, str], cwd: str,
        status: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        """Start the process. `status` is a pipe whose write end the launcher was told of."""
        self._begun = time.monotonic()
        self._stdin = memoryview(stdin)
        self._status_fd = -1
        try:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=dict(env), cwd=cwd, pass_fds=pass_fds, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            if status:
                os.close(status[0])
            raise
        finally:
            if status:
                os.close(status[1])
        self._status_fd = status[0] if status else -1

    def finish(self, timeout_s: float) -> Ended:
        """Serve the process until it and everything it started have ended.

        Raises:
            SandboxError: the processes would not die.
        """
        process, ended = self._process, self._ended
        own = os.pidfd_open(process.pid)
        with selectors.DefaultSelector() as ready, process:
            try:
                ready.register(own, selectors.EVENT_READ, "end")
                for stream, name in ((process.stdout, "out"), (process.stderr, "err")):
                    assert stream is not None
                    os.set_blocking(stream.fileno(), False)
                    ready.register(stream.fileno(), selectors.EVENT_READ, name)
                if process.stdin is not None:
                    os.set_blocking(process.stdin.fileno(), False)
                    ready.register(process.stdin.fileno(), selectors.EVENT_WRITE, "in")
                if self._status_fd >= 0:
                    os.set_blocking(self._status_fd, False)
                    ready.register(self._status_fd, selectors.EVENT_READ, "status")
                if (stop := current_stop()) is not None:
                    ready.register(stop, selectors.EVENT_READ, "stop")
                self._serve(ready, self._begun + timeout_s)
            finally:
                self._kill()
                for fd in (own, self._first, self._status_fd):
                    if fd >= 0:
                        os.close(fd)
                self._first = -1
            ended.exit_code = process.wait(DYING_S)
        ended.duration_ms = (time.monotonic() - self._begun) * 1000
        return ended

    def _serve(self, ready: selectors.BaseSelector, deadline: float) -> None:
        ended = self._ended
        next_watch = time.monotonic() + WATCH_S if self._watch is not None else float("inf")
        dying_by = float("inf")
        alive = True
        while alive or any(key.data in ("out", "err", "first") for key in ready.get_map().values()):
            now = time.monotonic()
            if now > dying_by:
                if self._status_fd < 0:
                    return  # without a jail, processes that left the group may hold our pipes for good
                raise SandboxError("processes of the sandbox would not die")
            wait = (min(deadline, next_watch) if dying_by == float("inf") else dying_by) - now
            for key, _ in ready.select(max(wait, 0.0)):
                if key.data == "end":
                    alive = False
                    ready.unregister(key.fd)
                elif key.data == "first":
                    ready.unregister(key.fd)
                elif key.data == "stop":
                    ready.unregister(key.fd)
                    ended.killed_by = ended.killed_by or CANCELLED
                elif key.data == "in":
                    self._feed(ready, key.fd)
                elif key.data == "status":
                    self._status(ready, key.fd)
                elif not self._take(key.fd, ended.out if key.data == "out" else ended.err):
                    ready.unregister(key.fd)
            now = time.monotonic()
            if dying_by < float("inf"):
                continue
            if alive and ended.killed_by is None:
                if self._read > self._flood:
                    ended.killed_by = "output"
                elif now >= deadline:
                    ended.killed_by = "wall"
                elif self._watch is not None and now >= next_watch:
                    ended.killed_by = self._watch()
                    next_watch = time.monotonic() + WATCH_S
            if not alive or ended.killed_by is not None:
                self._drain_status(ready)
                self._kill()
                dying_by = now + (DYING_S if self._status_fd >= 0 else LEFT_S)

    def _take(self, fd: int, into: bytearray) -> bool:
        """Read once; False at the end of the stream."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return True
        self._read += len(data)
        room = self._keep - len(into)
        into += data[:room]
        if len(data) > room:
            self._ended.truncated = True
        return bool(data)

    def _feed(self, ready: selectors.BaseSelector, fd: int) -> None:
        try:
            self._stdin = self._stdin[os.write(fd, self._stdin[:CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._stdin = self._stdin[:0]
        if not self._stdin:
            ready.unregister(fd)
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def _status(self, ready: selectors.BaseSelector, fd: int) -> None:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        if not data:
            ready.unregister(fd)
            return
        *lines, self._raw_status = (self._raw_status + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                self._ended.status.update(json.loads(line))
        pid = self._ended.status.get("child-pid")
        if pid is not None and self._first < 0:
            self._first = open_first(self._ended.status)
            if self._first >= 0:
                ready.register(self._first, selectors.EVENT_READ, "first")

    def _drain_status(self, ready: selectors.BaseSelector) -> None:
        """Read what the launcher still had to say before it ended."""
        for _ in range(8):
            if any(key.data == "status" for key in ready.get_map().values()):
                self._status(ready, self._status_fd)

    def _kill(self) -> None:
        # Death of the first process of a process namespace takes all others along, before it is itself gone.
        if self._first >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)
        if self._process.poll() is None:
            self._process.kill()
        if self._status_fd < 0:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
