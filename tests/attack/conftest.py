"""Fixtures of the attack tests: a jail, the same without a jail, and a way to try things in either.

The jail is bubblewrap's; `SANDBOX_UNDER_ATTACK=docker pytest tests/attack` attacks the other backend.

Attack code is Python, run inside. It calls `attempt(label, action)` for each thing it tries; the action returning
without an error is an escape. Values come in through `A`.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import Completed, Limits, make_sandbox

BACKEND = os.environ.get("SANDBOX_UNDER_ATTACK", "bubblewrap")
PRELUDE = """
import ctypes, errno, json, os, signal, socket, subprocess, sys, time
A = json.loads(os.environ["ATTACK"])
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def say(kind, label, what):
    print(json.dumps([kind, label, str(what)[:300]]), flush=True)
def attempt(label, action, *args):
    try:
        got = action(*args)
    except BaseException as error:
        say("held", label, type(error).__name__ + " " + str(getattr(error, "errno", "")) + " " + str(error))
    else:
        say("escaped", label, got)
def put(path, data):
    fd = os.open(path, os.O_WRONLY)
    try:
        return os.write(fd, data.encode())
    finally:
        os.close(fd)
def syscall(number, *args):
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
"""

SMALL = Limits(
    memory_mb=192, processes=32, cpus=1.0, cpu_s=20, open_files=128, file_mb=8, tmp_mb=8, disk_mb=24, disk_files=2000,
    output_kb=64, flood_mb=4,
)  # fmt: skip


@dataclass
class Tried:
    """What came of the attempts: label -> what happened."""

    held: dict[str, str]
    escaped: dict[str, str]
    done: Completed


Try = Callable[..., Tried]


def inside_id(box: Any) -> str:
    """User id that calls have inside: always the same one under bubblewrap, the container's otherwise."""
    return "1000" if BACKEND == "bubblewrap" else str(box.strength.user.split()[1])


def attack(box: Sandbox, code: str, *, timeout_s: float = 10.0, writable: bool = True, **values: Any) -> Tried:
    """Run attack code in `box`; `values` appear in it as A["name"]."""
    argv = ["/usr/bin/python3", "-c", PRELUDE + code]
    done = box.run(argv, timeout_s=timeout_s, writable=writable, env={"ATTACK": json.dumps(values)})
    tried = Tried({}, {}, done)
    for line in done.stdout.splitlines():
        if line.startswith("["):
            kind, label, what = json.loads(line)
            (tried.held if kind == "held" else tried.escaped)[label] = what
    return tried


@pytest.fixture
def limits() -> Limits:
    """Limits small enough to be reached quickly."""
    return SMALL


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty workspace; the folders above it are closed to other users."""
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.fixture
def jail(workspace: Path, limits: Limits) -> Iterator[Sandbox]:
    """The sandbox under attack."""
    try:
        box = make_sandbox(BACKEND, workspace, limits)
    except InputError as error:
        if BACKEND == "bubblewrap":
            raise
        pytest.skip(str(error))
    yield box
    box.close()


@pytest.fixture
def open_air(workspace: Path, limits: Limits) -> Iterator[Sandbox]:
    """No sandbox: shows that an attack would work."""
    box = make_sandbox("none", workspace, limits)
    yield box
    box.close()


@pytest.fixture
def inside(jail: Sandbox) -> Try:
    """Run attack code in the jail; the attempts must have been made and none may have worked."""

    def run(code: str, **options: Any) -> Tried:
        tried = attack(jail, code, **options)
        assert tried.held or tried.escaped, f"the attack did not run: {tried.done}"
        assert not tried.escaped, tried.escaped
        return tried

    return run


@pytest.fixture
def outside(open_air: Sandbox) -> Try:
    """Run attack code without a jail; it must work there, otherwise the attack proves nothing."""

    def run(code: str, **options: Any) -> Tried:
        tried = attack(open_air, code, **options)
        assert tried.escaped, f"the attack does not even work without a jail: {tried}"
        return tried

    return run


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the host, beside the workspace, with a random text."""
    path = tmp_path / "secret.txt"
    path.write_text(f"secret-{uuid.uuid4()}")
    return path
