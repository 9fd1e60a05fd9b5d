"""What happens inside a worker, whatever started it: one thread of arithmetic, Ctrl-C left to the parent."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import Any

from hybrid_agent.errors import HybridAgentError

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkerFailed(HybridAgentError):
    """An exception of a worker that could not be sent as it was."""


class Inside:
    """The state of a worker. Replies are bytes: pickled (`kind`, value) as in `Event`.

    Args:
        start: pickled `Start`. It is opened only now, so that what it imports finds the settings of a worker.
    """

    def __init__(self, start: bytes) -> None:
        self._start, self._stack = start, ExitStack()
        self._do: Callable[[Any], Any] | None = None

    def prepare(self) -> bytes:
        """Run `start`; the reply is `ready` or `failed`."""
        return _reply("ready", self._prepare)

    def run(self, item: bytes) -> bytes:
        """Do one (pickled) item; the reply is `done` or `failed`."""
        do = self._do
        assert do is not None
        return _reply("done", lambda: do(pickle.loads(item)))

    def close(self) -> None:
        """Clean up."""
        self._stack.close()

    def _prepare(self) -> str:
        self._do = self._stack.enter_context(pickle.loads(self._start)())
        if "torch" in sys.modules:  # a library may have set it at import
            sys.modules["torch"].set_num_threads(1)
        return f"{socket.gethostname()}:{os.getpid()}"


def leave_interrupts_to_parent() -> None:
    """Ctrl-C goes to the parent, which ends us. Blocked is not the same as ignored: programs we start inherit both."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def leave(number: int, frame: FrameType | None) -> None:
    """Handler of SIGTERM: workspaces and sandboxes are cleaned up on the way out."""
    raise SystemExit


def _reply(kind: str, do: Callable[[], Any]) -> bytes:
    try:
        return pickle.dumps((kind, do()))
    except Exception as error:
        said = traceback.format_exc()
        error.add_note(f"in a worker:\n{said}")
        try:
            sent = pickle.dumps(("failed", error))
            pickle.loads(sent)  # some exceptions go out but do not come in
        except Exception:
            return pickle.dumps(("failed", WorkerFailed(said)))
        return sent
