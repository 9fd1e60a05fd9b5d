"""Child processes that are kept alive: started again when they end by themselves, ended together, never left behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hybrid_agent.cli.exits import BAD_INPUT
from hybrid_agent.config.serve import RestartConfig
from hybrid_agent.fanout.parent import end_with_parent

KILL_AFTER_S = 10.0  # beyond what a process gets to end by itself


@dataclass
class Child:
    """One process and its history. `stop_s` is what it gets to end by itself."""

    name: str
    argv: Sequence[str]
    stop_s: float
    process: subprocess.Popen[bytes] | None = None
    pidfd: int = -1
    again_at: float | None = None
    wait_s: float = 0.0
    ends: deque[float] = field(default_factory=deque)


class Supervisor:
    """Runs children until a signal, or until one of them cannot be kept up.

    Args:
        commands: argv by name, in the order of starting; they are ended in the opposite order.
        restart: how often and how fast.
        stop_s: seconds that each gets to end by itself.
        say: told in one line what happens.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        restart: RestartConfig,
        stop_s: float = 15.0,
        say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),
    ) -> None:
        self.children = [Child(name, argv, stop_s) for name, argv in commands.items()]
        self._restart, self._say = restart, say
        self._selector = selectors.DefaultSelector()
        self._signals = 0
        self._hurry = False

    def run(self, started: Callable[[], None] | None = None) -> int:
        """Start all, keep them up, end them; returns an exit code. For the main thread.

        Args:
            started: called once all are started (not: ready).
        """
        read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        before = {number: signal.signal(number, self._heard) for number in (signal.SIGTERM, signal.SIGINT)}
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        self._selector.register(read, selectors.EVENT_READ)
        try:
            for child in self.children:
                self._start(child)
            if started:
                started()
            return self._watch(read)
        finally:
            self._end(read)
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(read)
            os.close(write)

    def _heard(self, number: int, frame: object) -> None:
        self._signals += 1

    def _watch(self, wake: int) -> int:
        while not self._signals:
            times = [child.again_at for child in self.children if child.again_at is not None]
            wait = max(0.0, min(times) - time.monotonic()) if times else None
            for key, _ in self._selector.select(wait):
                if key.fd == wake:
                    os.read(wake, 100)
                else:
                    code = self._ended(key.data)
                    if code is not None:
                        return code
            for child in self.children:
                if child.again_at is not None and child.again_at <= time.monotonic():
                    self._start(child)
        self._say("stopping")
        return 0

    def _start(self, child: Child) -> None:
        child.again_at = None
        parent = os.getpid()

        def follow() -> None:
            """In the child: die with us, and not of the terminal's Ctrl-C, which is ours to pass on."""
            end_with_parent(parent)

        child.process = subprocess.Popen(
            child.argv, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=follow
        )
        child.pidfd = os.pidfd_open(child.process.pid)
        self._selector.register(child.pidfd, selectors.EVENT_READ, child)

    def _ended(self, child: Child) -> int | None:
        """Plan the next start; an exit code if there is none."""
        assert child.process is not None
        code = child.process.wait()
        self._forget(child)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        if code == BAD_INPUT:
            self._say(f"{child.name} {how}; it would again")
            return BAD_INPUT
        now = time.monotonic()
        child.ends.append(now)
        while now - child.ends[0] > self._restart.within_s:
            child.ends.popleft()
        if len(child.ends) > self._restart.most:
            self._say(f"{child.name} {how}, {len(child.ends)} times in {self._restart.within_s:g} s; giving up")
            return 1
        steady = len(child.ends) == 1
        child.wait_s = self._restart.wait_s if steady else min(2 * child.wait_s, self._restart.wait_most_s)
        child.again_at = now + child.wait_s
        self._say(f"{child.name} {how}; starting it again")
        return None

    def _forget(self, child: Child) -> None:
        self._selector.unregister(child.pidfd)
        os.close(child.pidfd)
        child.process, child.pidfd = None, -1

    def _end(self, wake: int) -> None:
        """End the children one after the other, last first; a second signal kills all that are left."""
        heard = self._signals
        for child in reversed(self.children):
            process = child.process
            if process is None:
                continue
            process.terminate()
            until = time.monotonic() + child.stop_s
            while process.poll() is None and time.monotonic() < until and self._signals <= heard:
                for key, _ in self._selector.select(until - time.monotonic()):
                    if key.fd == wake:
                        os.read(wake, 100)
                    elif key.data is not child and key.data.process is not None and key.data.process.poll() is not None:
                        self._forget(key.data)
            if process.poll() is None:
                process.kill()
            process.wait(KILL_AFTER_S)
            if child.process is not None:
                self._forget(child)
