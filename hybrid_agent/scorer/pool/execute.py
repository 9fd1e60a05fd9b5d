"""Run a pool's candidates in a sandbox: a jailed driver for a task, a process for a program, results on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from hybrid_agent.errors import InfraError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.runs.atomic import write_text
from hybrid_agent.scorer.pool.probes import Probes, make_probes
from hybrid_agent.scorer.pool.program import parse
from hybrid_agent.scorer.pool.records import PoolTask

PYTHON = "/usr/bin/python3"
LIMITS = {"load_s": 1.0, "step_s": 0.4, "late": 2, "cpu_s": 3, "memory": 512 << 20, "wall_s": 45.0}
KILLED = {"load": "k", "calls": [], "tests": ""}


@dataclass(frozen=True, slots=True)
class Ran:
    """How one candidate ran (letters as in `driver`).

    `load` is "p" if the program could be loaded, "s" if it does not compile, "k" if it brought its jail down, else
    the letter and name of the error; `calls` and `tests` are in the order of the task's probes, empty unless loaded.
    """

    load: str
    calls: tuple[str, ...]
    tests: str


def run_task(task: PoolTask, sandbox: Sandbox, cache: Path | None = None) -> list[Ran]:
    """How each candidate runs, in order; equal programs run once, known tasks come from the cache.

    Args:
        task: the task; only prompt, candidates and generated tests are used.
        sandbox: where programs run; its workspace is not written to.
        cache: folder of results, one JSON file a task, named by what they depend on.

    Raises:
        InfraError: the jail's Python does not work.
    """
    probes = make_probes(task)
    programs = {_key(task.program(i)): task.program(i) for i in range(len(task.candidates))}
    file = cache / f"{job_hash(task, probes)}.json" if cache else None
    done: dict[str, Any] = {}
    if file is not None and file.is_file():
        done = json.loads(file.read_text(encoding="utf-8"))
    else:
        good = [(key, text) for key, text in programs.items() if parse(text) is not None]
        done = {key: {**KILLED, "load": "s"} for key in programs.keys() - {key for key, _ in good}}
        done |= _run_all(good, probes, sandbox)
        if file is not None:
            write_text(file, json.dumps(done) + "\n")
    out = []
    for i in range(len(task.candidates)):
        record = done[_key(task.program(i))]
        out.append(Ran(record["load"], tuple(record["calls"]), record["tests"]))
    return out


def job_hash(task: PoolTask, probes: Probes) -> str:
    """Names a task's results: driver, limits, programs and probes."""
    parts: Sequence[Any] = [_driver(), LIMITS, task.prompt, task.candidates, probes.tests, probes.calls]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _run_all(left: list[tuple[str, str]], probes: Probes, sandbox: Sandbox) -> dict[str, Any]:
    """Run the driver until every program has a result; a program that ends the driver is marked and passed over."""
    done: dict[str, Any] = {}
    broken = 0
    while left:
        job = {"programs": left, "tests": probes.tests, "calls": probes.calls, "limits": LIMITS}
        ended = sandbox.run(
            [PYTHON, "-I", "-c", _driver()],
            stdin=json.dumps(job).encode(),
            timeout_s=60 + 10.0 * len(left),
            env={"PYTHONHASHSEED": "0"},
            writable=False,
        )
        known = {key for key, _ in left}
        for line in ended.stdout.splitlines():
            try:
                key, record = json.loads(line)
            except (ValueError, TypeError):
                continue  # the last line of a driver that was killed
            if key in known:
                done[key] = record
        before = len(left)
        left = [(key, text) for key, text in left if key not in done]
        broken = broken + 1 if len(left) == before else 0
        if left and broken and "Traceback" in ended.stderr:
            raise InfraError(f"the pool driver failed in the sandbox: {ended.stderr.strip()[-300:]}")
        if left:  # the first one without a result was running when the driver ended
            done[left[0][0]] = KILLED
            left = left[1:]
    return done


def _key(program: str) -> str:
    return hashlib.sha256(program.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _driver() -> str:
    return (resources.files("hybrid_agent.scorer.pool") / "driver.py").read_text(encoding="utf-8")
