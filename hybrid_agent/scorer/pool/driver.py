"""Runs inside the jail: many programs of one task, each in a process of its own, under tests and calls.

Standard library only; this file's text is handed to the jail's Python. It reads one job (JSON) from standard
input and writes one JSON line a program, as each ends, so that what is done survives a kill.

A program's process loads the program, evaluates every call, then runs every test. Time is counted in CPU
seconds (a busy machine must not change a result); wall seconds are only a backstop. Results by step:
tests "p" passed, "f" assertion failed, "e" another error, "t" out of time, "-" not reached;
calls "v:<digest>", "n" (None), "e:<error>", "t", "-".
"""

import hashlib
import json
import os
import random
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from types import CodeType, FrameType
from typing import Any

# Loaded once here, so that a program's own imports cost nothing after the fork.
for _name in (
    "bisect collections copy cmath datetime decimal fractions functools heapq itertools math operator re statistics "
    "string typing"
).split():
    __import__(_name)

NODES = 5000


class OutOfTime(BaseException):
    """Not an Exception, so that a program's `except Exception` does not swallow it."""


def canon(value: Any, left: list[int]) -> str:
    """Text of a value such that values equal under == give equal text (1, 1.0 and True are equal)."""
    left[0] -= 1
    if left[0] < 0:
        return "..."
    kind = type(value)
    if kind in (bool, int):
        return str(int(value)) if abs(value) < 10**300 else f"big{value % (10**9 + 7)}"
    if kind is float:
        if value != value or value in (float("inf"), float("-inf")):
            return repr(value)
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.9g}"
    if kind in (str, bytes, type(None)):
        return repr(value)
    if kind in (list, tuple):
        return kind.__name__ + "(" + ",".join(canon(v, left) for v in value) + ")"
    if kind in (set, frozenset):
        return "set(" + ",".join(sorted(canon(v, left) for v in value)) + ")"
    if isinstance(value, dict):
        return "dict(" + ",".join(sorted(canon(k, left) + ":" + canon(v, left) for k, v in value.items())) + ")"
    if isinstance(value, (list, tuple, int, float, str)):
        base: Any = next(b for b in (list, tuple, int, float, str) if isinstance(value, b))
        return canon(base(value), left)
    return "<" + kind.__name__ + ">"


def expire(number: int, frame: FrameType | None) -> None:
    """End a step."""
    raise OutOfTime


def timed(seconds: float, action: Callable[[], Any]) -> tuple[str, Any]:
    """Run an action; returns (letter, detail)."""
    try:
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
            return "p", action()
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except OutOfTime:
        return "t", ""
    except AssertionError:
        return "f", "AssertionError"
    except BaseException as error:  # SystemExit and what programs make up included
        return "e", type(error).__name__


def _value(call: CodeType, scope: dict[str, Any]) -> str:
    return canon(eval(call, dict(scope)), [NODES])  # noqa: S307


def child(program: str, job: dict[str, Any], out: int) -> None:
    """One program's whole life; never returns."""
    limits = job["limits"]
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_s"], limits["cpu_s"]))
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory"], limits["memory"]))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    write = os.write
    for name in ("kill", "killpg", "fork", "forkpty", "_exit", "abort"):  # accidents, not malice: the jail holds that
        setattr(os, name, None)
    random.seed(0)
    signal.signal(signal.SIGVTALRM, expire)
    sys.setrecursionlimit(1500)
    scope: dict[str, Any] = {"__name__": "candidate"}
    letter, detail = timed(limits["load_s"], lambda: exec(compile(program, "candidate", "exec"), scope))  # noqa: S102
    write(out, f"L {letter} {detail}\n".encode())
    late = 0
    if letter == "p":
        for call in job["calls"]:
            if late >= limits["late"]:
                break
            letter, detail = timed(limits["step_s"], partial(_value, call, scope))
            late += letter == "t"
            if letter == "p":
                digest = hashlib.blake2b(detail.encode("utf-8", "replace"), digest_size=5).hexdigest()
                detail = "n" if detail == "None" else "v:" + digest
            else:
                detail = "t" if letter == "t" else "e:" + detail
            write(out, f"C {detail}\n".encode())
        write(out, b"D\n")
        for test in job["tests"]:
            if late >= limits["late"]:
                break
            letter, _ = timed(limits["step_s"], partial(exec, test, dict(scope)))
            late += letter == "t"
            write(out, f"T {letter}\n".encode())
    write(out, b"E\n")


def watch(pid: int, inlet: int, wall_s: float) -> list[str]:
    """What the process wrote until it ended; it is killed after wall_s."""
    data, end = b"", time.monotonic() + wall_s
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([inlet], [], [], left)[0]:
            break
        block = os.read(inlet, 65536)
        if not block or len(data) > 1 << 20:
            break
        data += block
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(inlet)
    return data.decode("utf-8", "replace").splitlines()


def result(lines: list[str], job: dict[str, Any]) -> dict[str, Any]:
    """Lines of one program as a record; what was cut off by a kill counts as out of time where it stopped."""
    load, ended, calling = "t", False, True
    calls: list[str] = []
    tests: list[str] = []
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "L":
            load = rest if rest[:1] in ("f", "e") else rest[:1]
        elif kind == "C":
            calls.append(rest)
        elif kind == "D":
            calling = False
        elif kind == "T":
            tests.append(rest[:1])
        elif kind == "E":
            ended = True
    calls, tests = calls[: len(job["calls"])], tests[: len(job["tests"])]
    if not ended and load == "p":
        (calls if calling else tests).append("t")
    calls = (calls + ["-"] * len(job["calls"]))[: len(job["calls"])]
    tests = (tests + ["-"] * len(job["tests"]))[: len(job["tests"])]
    return {"load": load, "calls": calls, "tests": "".join(tests)}


def main() -> None:
    """Read the job, run its programs one after the other."""
    warnings.simplefilter("ignore")
    job = json.load(sys.stdin)
    job["calls"] = [_code(call, "eval") for call in job["calls"]]
    job["tests"] = [_code(test, "exec") for test in job["tests"]]
    for key, program in job["programs"]:
        inlet, outlet = os.pipe()
        sys.stdout.flush()
        leave = os._exit
        pid = os.fork()
        if pid == 0:
            try:
                os.close(inlet)
                child(program, job, outlet)
            finally:
                leave(0)
        os.close(outlet)
        record = result(watch(pid, inlet, job["limits"]["wall_s"]), job)
        print(json.dumps([key, record]), flush=True)


def _code(text: str, mode: str) -> CodeType:
    try:
        return compile(text, "test", mode)
    except Exception:
        return compile("0/0", "test", mode)


if __name__ == "__main__":
    main()
