"""The program that serves a session jail from inside (run there by /usr/bin/python3, never imported).

One JSON line in, one JSON line out. Each call runs in a process session of its own; when it ends, every
other process of the jail is killed before the answer goes out, and the scratch folders are emptied.
"""

# Without pathlib, which would double the start of a jail; os and shutil are loaded anyway.
# ruff: noqa: PTH101, PTH108, PTH120, PTH123, PTH208

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

CHUNK = 65536
PR_SET_DUMPABLE = 4
SCRATCH = ("/tmp", "/dev/shm")
REAP_S = 0.5


def call(request: dict[str, Any], prepare: Any = None, caller: int = -1) -> dict[str, Any]:
    """Run one command to its end and answer with its exit code and output.

    For the first process of a container (`docker_first.py`): `prepare` runs in the new process, and `caller` is the
    descriptor whose end means that nobody waits for the answer any more.
    """
    begun = time.monotonic()
    stdin = base64.b64decode(request["stdin"])
    try:
        process = subprocess.Popen(
            request["argv"],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/workspace",
            env=request["env"],
            start_new_session=True,
            preexec_fn=prepare,
        )
    except OSError as error:
        text = f"{request['argv'][0]}: command not found\n" if isinstance(error, FileNotFoundError) else f"{error}\n"
        return {"code": 127, "out": "", "err": base64.b64encode(text.encode()).decode(), "ms": 0.0}
    kept = {"out": bytearray(), "err": bytearray()}
    killed_by, total, truncated, alive = None, 0, False, True
    deadline = begun + request["timeout_s"]
    with selectors.DefaultSelector() as ready:
        end = os.pidfd_open(process.pid)
        ready.register(end, selectors.EVENT_READ, "end")
        for stream, name in ((process.stdout, "out"), (process.stderr, "err")):
            ready.register(stream.fileno(), selectors.EVENT_READ, name)  # type: ignore[union-attr]
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            ready.register(process.stdin.fileno(), selectors.EVENT_WRITE, "in")
        if caller >= 0:
            ready.register(caller, selectors.EVENT_READ, "caller")
        while alive or any(key.data in kept for key in ready.get_map().values()):
            wait = max(deadline - time.monotonic(), 0) if alive else None
            for key, _ in ready.select(wait if caller < 0 else min(wait or REAP_S, REAP_S)):
                if key.data == "caller":
                    sys.exit(1)  # callers wait for an answer before they write again, so this is their end
                elif key.data == "end":
                    process.wait()
                    ready.unregister(end)
                    alive = False
                    kill_others()
                elif key.data == "in":
                    stdin = feed(process, stdin)
                    if not stdin:
                        ready.unregister(key.fd)
                        close_quietly(process.stdin)
                else:
                    data = os.read(key.fd, CHUNK)
                    total += len(data)
                    into = kept[key.data]
                    room = request["keep"] - len(into)
                    into += data[:room]
                    truncated = truncated or len(data) > room
                    if not data:
                        ready.unregister(key.fd)
            if caller >= 0:
                reap(process.pid)
            if alive and killed_by is None:
                if total > request["flood"]:
                    killed_by = "output"
                elif time.monotonic() >= deadline:
                    killed_by = "wall"
                if killed_by is not None:
                    kill_others()
        os.close(end)
    for stream in (process.stdin, process.stdout, process.stderr):
        close_quietly(stream)
    code = process.returncode
    return {
        "code": code if code >= 0 else 128 - code,
        "out": base64.b64encode(kept["out"]).decode(),
        "err": base64.b64encode(kept["err"]).decode(),
        "ms": (time.monotonic() - begun) * 1000,
        "killed_by": killed_by,
        "truncated": truncated,
    }


def feed(process: subprocess.Popen[bytes], data: bytes) -> bytes:
    """Write some of the input; returns what is left (nothing, if the reader has gone)."""
    try:
        return data[os.write(process.stdin.fileno(), data[:CHUNK]) :]  # type: ignore[union-attr]
    except BlockingIOError:
        return data
    except BrokenPipeError:
        return b""


def close_quietly(stream: Any) -> None:
    """Close a pipe whose other end may be gone."""
    if stream is not None:
        with contextlib.suppress(BrokenPipeError):
            stream.close()


def kill_others() -> None:
    """Kill every process of the jail but this one and its first, until none is left."""
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        try:
            os.kill(-1, signal.SIGKILL)  # spares the caller and process 1
        except ProcessLookupError:
            return
        # The direct child must stay for Popen.wait only until it is a zombie, which kill(-1) still counts.
        if others_are_zombies_of_ours():
            return
        time.sleep(0.0005)
    sys.exit(1)


def others_are_zombies_of_ours() -> bool:
    """True if what is left are only ended children that we have yet to wait for."""
    me = str(os.getpid())
    for name in os.listdir("/proc"):
        if not name.isdigit() or name in ("1", me):
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                state, parent = file.read().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if state != "Z" or parent != me:
            return False
    return True


def reap(but: int) -> None:
    """Wait for ended processes that became ours, except the one of the call; for a first process only."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if found.si_pid == but:
                return  # its turn comes with its own event, the others' after it
            os.waitpid(found.si_pid, 0)


def empty_scratch(places: Any = SCRATCH) -> None:
    """Remove what calls left in the scratch folders; ends the jail if something cannot be removed."""

    def open_and_retry(function: Any, path: str, _: Any) -> None:
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        function(path)

    for place in places:
        with os.scandir(place) as entries:
            names = [(e.path, e.is_dir(follow_symlinks=False)) for e in entries]
        for path, is_dir in names:
            if is_dir:
                shutil.rmtree(path, onerror=open_and_retry)
            else:
                os.unlink(path)


def main() -> None:
    """Serve calls until the input ends."""
    # Without this the processes of a call, which run as the same user, could open our pipes through /proc.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    for line in os.fdopen(os.dup(0), "r"):
        answers.write(json.dumps(call(json.loads(line))) + "\n")
        answers.flush()
        empty_scratch()


if __name__ == "__main__":
    main()
