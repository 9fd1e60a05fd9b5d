"""The first process of a container: makes itself and all its children safe, then serves calls (`session_loop.py`).

Its text goes in behind that of `session_loop.py`; it is never imported. As first process of its namespace it cannot be
killed, stopped or traced from inside, its memory and pipes cannot be opened, and its end takes everything along. It
ends when its input does: a harness that is killed leaves nothing running.
"""

# Without pathlib, as session_loop.py.
# ruff: noqa: PTH110, PTH112, PTH116, PTH123

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
from typing import Any

from hybrid_agent.tools.sandbox.session_loop import PR_SET_DUMPABLE, call, empty_scratch, reap  # cut when sent

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
PLACES = ("/tmp", "/dev/shm", "/run", "/var/tmp", "/dev/mqueue")
MEMORY_EVENTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


class Program(ctypes.Structure):
    """The kernel's sock_fprog."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def close_doors(code: bytes) -> None:
    """Put the system call filter on this process and all it will start."""
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(code) // 8, code)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "the system call filter was refused")
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def oom_kills() -> int:
    """Processes of this container that the kernel has killed for memory so far."""
    for path in MEMORY_EVENTS:
        with contextlib.suppress(OSError, ValueError), open(path) as file:
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def limiter(limits: dict[str, int]) -> Any:
    """A function that sets the limits of the process it is called in."""
    wanted = []
    for name, value in limits.items():
        which = getattr(resource, "RLIMIT_" + name.upper())
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        wanted.append((which, (value, value)))

    def prepare() -> None:
        for which, pair in wanted:
            resource.setrlimit(which, pair)
        os.umask(0o022)

    return prepare


def serve() -> None:
    """Answer the first line with what this place is, each later one with the end of its call."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # without a handler, signals from inside do not reach a first process
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    caller = os.dup(0)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    lines = os.fdopen(caller, "r", closefd=False)
    setup = json.loads(lines.readline())
    if setup["machine"] != platform.machine():
        raise OSError(f"the image is for {platform.machine()}, the filter for {setup['machine']}")
    prepare = limiter(setup["limits"])
    close_doors(base64.b64decode(setup["seccomp"]))
    here = os.stat("/workspace")
    seen = {"pid": os.getpid(), "uid": os.getuid(), "owner": here.st_uid, "inode": here.st_ino}
    seen["memory"] = any(os.path.exists(path) for path in MEMORY_EVENTS)
    seen["python"] = os.path.exists("/usr/bin/python3")
    answers.write(json.dumps(seen) + "\n")
    answers.flush()
    kills = oom_kills()
    for line in lines:
        answer = call(json.loads(line), prepare, caller)
        reap(-1)
        kills, before = oom_kills(), kills
        if kills > before and not answer.get("killed_by"):
            answer["killed_by"] = "memory"
        empty_scratch([place for place in PLACES if os.path.isdir(place)])
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve()
