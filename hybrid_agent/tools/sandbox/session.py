"""A long-lived jail that serves many calls: a few milliseconds each, for replaying trusted commands.

The jail is the same as `BubblewrapSandbox` builds, with a small Python loop in it. Calls share one
process namespace one after the other, so a hostile command may disturb its own answer (never the host); use
one jail a call for anything a model wrote.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from hybrid_agent.errors import SandboxError
from hybrid_agent.tools.sandbox.bubblewrap import BubblewrapSandbox, check_call, completed
from hybrid_agent.tools.sandbox.capture import DYING_S, Ended, open_first
from hybrid_agent.tools.sandbox.disk import DiskWatch
from hybrid_agent.tools.sandbox.exchange import LoopEnded, answer_cap, completed_of, exchange, request_of
from hybrid_agent.tools.sandbox.limits import Completed, Limits, Strength

LATEST_S = 3.0  # how long after a call's own timeout the loop's answer may still come
CALLS_A_JAIL = 2000  # then a fresh one: the loop's own CPU seconds count against the jail's limit
LOOP = resources.files(__package__).joinpath("session_loop.py")


class SessionSandbox:
    """Satisfies `protocols.Sandbox`; calls from several threads take turns.

    The harness may empty and refill the workspace between calls. A replaced workspace folder is noticed and
    costs a new jail.
    """

    def __init__(self, workspace: Path, limits: Limits, ro_binds: Mapping[str, Path] | None = None) -> None:
        self._box = BubblewrapSandbox(workspace, limits, ro_binds)
        self.workspace = self._box.workspace
        self.limits = limits
        self._lock = threading.Lock()
        self._loops: dict[bool, _Loop] = {}

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_s: float = 8.0,
        env: Mapping[str, str] | None = None,
        writable: bool = True,
    ) -> Completed:
        """Run argv in the standing jail; see `protocols.Sandbox.run`."""
        check_call(argv, env)
        request = request_of(argv, stdin, timeout_s, env, self.limits)
        with self._lock:
            watch = DiskWatch(self.workspace, self.limits.disk_mb << 20, self.limits.disk_files)
            build = self._box.settle()
            kills = self._box.oom_kills()
            begun = time.monotonic()
            loop = self._loop(writable, build)
            try:
                answer = loop.ask(request, timeout_s + LATEST_S, watch if writable else None)
            except LoopEnded as end:
                self._drop(writable)
                killed_by = "memory" if self._box.oom_kills() > kills else end.why
                ended = Ended(duration_ms=(time.monotonic() - begun) * 1000)
                return completed(ended, None, "", killed_by)
            limit = "memory" if self._box.oom_kills() > kills else None
            return completed_of(answer, limit)

    @property
    def strength(self) -> Strength:
        """What holds this sandbox shut."""
        inner = self._box.strength
        shared = "one process namespace serves many calls"
        return Strength(
            f"{inner.backend} (session)", inner.user, inner.cgroup, True, inner.workspace, (*inner.weaker, shared)
        )

    def describe(self) -> str:
        """`strength`, as text for people."""
        return "\n".join(self.strength.lines())

    def close(self) -> None:
        """End the jails and free what they hold; idempotent."""
        with self._lock:
            for writable in list(self._loops):
                self._drop(writable)
            self._box.close()

    def _loop(self, writable: bool, build: int) -> _Loop:
        loop = self._loops.get(writable)
        if loop is not None and (loop.build != build or loop.calls >= CALLS_A_JAIL or not loop.alive()):
            self._drop(writable)
            loop = None
        if loop is None:
            loop = self._loops[writable] = _Loop(self._box, writable, build)
        return loop

    def _drop(self, writable: bool) -> None:
        self._loops.pop(writable).stop()


class _Loop:
    """One standing jail and the pipes to its loop."""

    def __init__(self, box: BubblewrapSandbox, writable: bool, build: int) -> None:
        self.build = build
        self.calls = 0
        self._answer_cap = answer_cap(box.limits)
        self._over = threading.Event()
        self._errors = os.memfd_create("sandbox-errors", os.MFD_CLOEXEC)
        started: list[BaseException | None] = []
        ready = threading.Event()

        def keep() -> None:
            # A jail dies with the thread that started it, so this thread lives as long as the jail should.
            try:
                box.launch(
                    self._spawn, ["/usr/bin/python3", "-I", "-S", "-B", "-c", LOOP.read_text()], writable=writable
                )
                started.append(None)
            except BaseException as error:
                started.append(error)
            ready.set()
            self._over.wait()

        threading.Thread(target=keep, name="sandbox-session", daemon=True).start()
        ready.wait()
        if (error := started[0]) is not None:
            self._over.set()
            raise error

    def _spawn(self, argv: list[str], pass_fds: list[int], status: tuple[int, int]) -> None:
        try:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env={}, cwd="/",
                pass_fds=pass_fds, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(status[0])
            raise
        finally:
            os.close(status[1])
        with os.fdopen(status[0]) as said:
            report = json.loads(said.readline() or "{}")
        self._first = open_first(report) if "child-pid" in report else -1
        if self._first < 0:
            self._process.wait()
            raise SandboxError(f"the sandbox could not start: {self._said()}")
        assert self._process.stdin is not None and self._process.stdout is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)

    def alive(self) -> bool:
        """True while the jail's launcher runs."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], timeout_s: float, watch: DiskWatch | None) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Raises:
            LoopEnded: the jail died, or overstepped and must be stopped.
        """
        self.calls += 1
        assert self._process.stdin is not None and self._process.stdout is not None
        into, out = self._process.stdin.fileno(), self._process.stdout.fileno()
        return exchange(into, out, request, timeout_s, self._answer_cap, watch)

    def stop(self) -> None:
        """Kill the jail and wait until all in it is dead."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._first, signal.SIGKILL)
        with selectors.DefaultSelector() as ready:
            ready.register(self._first, selectors.EVENT_READ)
            gone = ready.select(DYING_S)
        os.close(self._first)
        self._process.kill()
        with self._process:
            self._process.wait()
        os.close(self._errors)
        self._over.set()
        if not gone:
            raise SandboxError("processes of the sandbox would not die")

    def _said(self) -> str:
        return os.pread(self._errors, 300, 0).decode("utf-8", "replace").strip()
