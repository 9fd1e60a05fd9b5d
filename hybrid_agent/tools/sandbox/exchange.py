"""Talking to a standing loop (`session_loop.py`): one JSON line to it, one JSON line back, within limits."""

from __future__ import annotations

import base64
import json
import os
import selectors
import time
from collections.abc import Mapping, Sequence
from typing import Any

from hybrid_agent.tools.sandbox import command
from hybrid_agent.tools.sandbox.bubblewrap import completed
from hybrid_agent.tools.sandbox.capture import CHUNK, WATCH_S, Ended
from hybrid_agent.tools.sandbox.disk import DiskWatch
from hybrid_agent.tools.sandbox.limits import Completed, Limits
from hybrid_agent.tools.sandbox.stop import CANCELLED, current_stop


class LoopEnded(Exception):
    """The loop ended, or had to be ended, before it answered; `why` is the limit's name."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def request_of(
    argv: Sequence[str], stdin: bytes, timeout_s: float, env: Mapping[str, str] | None, limits: Limits
) -> dict[str, Any]:
    """The request of one call."""
    return {
        "argv": list(argv),
        "stdin": base64.b64encode(stdin).decode(),
        "timeout_s": timeout_s,
        "env": {**command.ENVIRONMENT, **(env or {})},
        "keep": limits.output_kb << 10,
        "flood": limits.flood_mb << 20,
    }


def answer_cap(limits: Limits) -> int:
    """Bytes an honest answer cannot pass."""
    return 4 * (limits.output_kb << 10) + CHUNK


def completed_of(answer: Mapping[str, Any], limit: str | None) -> Completed:
    """The result in an answer; `limit` names a limit that only the outside knows of."""
    ended = Ended(
        out=bytearray(base64.b64decode(answer["out"])),
        err=bytearray(base64.b64decode(answer["err"])),
        truncated=bool(answer.get("truncated")),
        duration_ms=float(answer["ms"]),
    )
    killed_by = answer.get("killed_by") or limit
    return completed(ended, int(answer["code"]), ended.err.decode("utf-8", "replace"), killed_by)


def exchange(
    into: int, out: int, request: Mapping[str, Any], timeout_s: float, cap: int, watch: DiskWatch | None = None
) -> dict[str, Any]:
    """Send one request and wait for its answer; both descriptors must not block.

    Raises:
        LoopEnded: the loop died, or overstepped and must be stopped.
    """
    sending = memoryview(json.dumps(request).encode() + b"\n")
    answer = bytearray()
    deadline = time.monotonic() + timeout_s
    with selectors.DefaultSelector() as ready:
        ready.register(into, selectors.EVENT_WRITE)
        ready.register(out, selectors.EVENT_READ)
        stop = current_stop()
        if stop is not None:
            ready.register(stop, selectors.EVENT_READ)
        while not answer.endswith(b"\n"):
            for key, _ in ready.select(WATCH_S):
                if key.fileobj is stop:
                    raise LoopEnded(CANCELLED)
                if key.fd == into:
                    sending = _send(into, sending)
                    if not sending:
                        ready.unregister(into)
                else:
                    data = os.read(out, CHUNK)
                    answer += data
                    if not data or len(answer) > cap:
                        raise LoopEnded("session")
            if time.monotonic() > deadline:
                raise LoopEnded("wall")
            if watch is not None and not answer and (why := watch.over()) is not None:
                raise LoopEnded(why)
    try:
        parsed: dict[str, Any] = json.loads(answer)
        return parsed
    except ValueError:
        raise LoopEnded("session") from None


def _send(fd: int, data: memoryview) -> memoryview:
    try:
        return data[os.write(fd, data[:CHUNK]) :]
    except BlockingIOError:
        return data
    except BrokenPipeError:
        raise LoopEnded("session") from None
