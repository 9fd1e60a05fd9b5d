"""Runs tests in the sandbox and reads what the script inside says of each."""

from __future__ import annotations

import functools
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from hybrid_agent.protocols import Completed, Sandbox
from hybrid_agent.swe.command import TestCommand
from hybrid_agent.swe.options import RepairOptions

GOOD = ("passed", "skipped")
COLLECT_S = 45.0  # importing the tests may take this long
EVENTS = 2_000_000  # lines that are traced of one test
PROBE_S = 8.0  # processor time for looking at states in one run, half of it in failing tests
USAGE_ERROR = 4
SET_UP = ("unittest.loader._FailedTest", "setUpClass (", "setUpModule (")  # stand for tests that could not be made
_PLACE = re.compile(r'File "([^"]+)", line (\d+)(?:, in (\S+))?')


@dataclass(frozen=True)
class Failure:
    """Why a test failed: the exception and its frames in the repository (path, line, function), outermost first."""

    kind: str
    message: str
    frames: tuple[tuple[str, int, str], ...] = ()


@dataclass
class TestRun:
    """One run of the test command, or of a part of it.

    Attributes:
        outcomes: test -> "passed", "failed", "error", "timeout" or "skipped".
        failures: of the tests that are not good.
        collecting: entries of `outcomes` that are files which could not be imported, not tests.
        lines: test -> path -> executed lines, if it was traced.
        probes: test -> [number, times the same, times different, times raised] of each probe.
        collected: ids of all tests, or None if it did not get that far.
        ended: exit status of the runner; None if it was killed.
        stopped_by: the test that ended the run early.
        trouble: why no tests could be run, for people.
        duration_s: seconds.
    """

    __test__ = False

    outcomes: dict[str, str] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    collecting: set[str] = field(default_factory=set)
    lines: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    probes: dict[str, list[list[int]]] = field(default_factory=dict)
    collected: list[str] | None = None
    ended: int | None = None
    stopped_by: str | None = None
    trouble: str = ""
    duration_s: float = 0.0

    @property
    def failing(self) -> list[str]:
        """Tests that are not good, in order."""
        return [test for test, outcome in self.outcomes.items() if outcome not in GOOD]

    @property
    def passing(self) -> list[str]:
        """Tests that pass, in order."""
        return [test for test, outcome in self.outcomes.items() if outcome == "passed"]

    def passes(self, must: Sequence[str]) -> bool:
        """True when the run came to its end and each of `must` is good."""
        return self.ended is not None and all(self.outcomes.get(test) in GOOD for test in must)


class Tester:
    """Runs one test command on one sandboxed copy; counts its runs."""

    def __init__(self, sandbox: Sandbox, command: TestCommand, options: RepairOptions, paths: Sequence[str]) -> None:
        self.sandbox, self.command, self.options = sandbox, command, options
        self.runs = 0
        self.seconds = 0.0
        self._python = command.python or options.python
        self._extra: tuple[str, ...] = ()
        self._env = {
            "PYTHONPATH": ":".join([*paths, *options.paths]),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            **command.env,
        }

    def run(
        self,
        *,
        must: Sequence[str] | None = None,
        goal: Sequence[str] = (),
        strict: bool = False,
        first: Sequence[str] = (),
        only: Sequence[str] | None = None,
        trace: bool = False,
        probes: Sequence[Sequence[object]] = (),
        timeout_s: float | None = None,
    ) -> TestRun:
        """Run the tests once; this counts as one test run.

        Args:
            must: tests that have to be good: only these are run, and the run stops at the first that is not.
            goal: those of `must` that fail now: they run first, and the run stops after them if not all are good.
            strict: run everything and stop at the first test that is not good.
            first: these come first, in this order.
            only: run these and no others.
            trace: record the lines that each test runs (several times slower).
            probes: what to evaluate at which lines (`probes.Probe.row`); their answers are in `TestRun.probes`.
            timeout_s: for the whole run, instead of the option's.

        Raises:
            SandboxError: the sandbox broke.
        """
        limit = timeout_s or self.options.timeout_s
        if self.command.kind == "plain":
            self.runs += 1
            done = self.sandbox.run(self.command.args, timeout_s=limit, env=self._env)
            self.seconds += done.duration_ms / 1000
            return _plain(done)
        request = {
            "kind": self.command.kind,
            "must": list(must) if must is not None else None,
            "goal": list(goal),
            "strict": strict,
            "first": [*goal, *first],
            "only": list(chosen) if (chosen := only if only is not None else must) is not None else None,
            "trace": trace,
            "probes": list(probes),
            "probe_s": PROBE_S,
            "events": EVENTS,
            "per_test_s": self.options.per_test_s * (3 if trace or probes else 1),
            "collect_s": max(COLLECT_S, self.options.per_test_s),
        }
        self.runs += 1
        run = self._ask(request, limit)
        if run.ended == USAGE_ERROR and self.command.kind == "pytest" and not self._extra and not run.outcomes:
            # Options of the repository's own configuration whose plugin is not there (coverage, several workers).
            self._extra = ("-o", "addopts=")
            again = self._ask(request, limit)
            if again.ended == USAGE_ERROR:
                self._extra = ()
            else:
                run = again
        return run

    def _ask(self, request: dict[str, Any], limit: float) -> TestRun:
        nonce = secrets.token_hex(8)
        request = {**request, "nonce": nonce, "args": [*self.command.args, *self._extra]}
        done = self.sandbox.run(
            [self._python, "-c", _script()], stdin=json.dumps(request).encode(), timeout_s=limit, env=self._env
        )
        self.seconds += done.duration_ms / 1000
        return read_run(done, nonce)


def read_run(done: Completed, nonce: str) -> TestRun:
    """Read the lines that the script inside wrote."""
    run = TestRun(duration_s=done.duration_ms / 1000)
    started: str | None = None
    for row in done.stdout.split("\n"):
        if not row.startswith(nonce):
            continue
        try:
            record = json.loads(row[len(nonce) :])
        except ValueError:
            continue  # cut when the run was killed
        if "collected" in record:
            run.collected = record["collected"] if isinstance(record["collected"], list) else []
        elif "start" in record:
            started = record["start"]
        elif "test" in record:
            _note(run, record)
            started = None
        elif "end" in record:
            run.ended, run.stopped_by, started = record["end"], record.get("why"), None
    if started is not None:  # killed within this test
        run.outcomes[started] = "timeout" if done.timed_out or done.killed_by in ("wall", "cpu") else "error"
        run.failures[started] = Failure("Killed", f"the run was ended by the limit on {done.killed_by or 'nothing'}")
    if not run.outcomes:
        run.trouble = _trouble(done, run)
    return run


def _note(run: TestRun, record: Mapping[str, Any]) -> None:
    test = record["test"]
    run.outcomes[test] = record["outcome"]
    if record.get("collecting") or test.startswith(SET_UP):
        run.collecting.add(test)
    error = record.get("error")
    if error:
        frames = tuple((str(path), int(line), str(name)) for path, line, name in error["frames"])
        run.failures[test] = Failure(error["type"], error["message"], frames)
        if not frames and "Traceback (most recent call last)" in error["message"]:
            run.failures[test] = failure_in(error["message"])  # unittest tells of failed imports in words
    if "probes" in record:
        run.probes[test] = record["probes"]
    if "lines" in record:
        run.lines[test] = record["lines"]


def _trouble(done: Completed, run: TestRun) -> str:
    if run.ended == 127 and run.stopped_by:
        return str(run.stopped_by)
    said = [row for row in done.stderr.strip().splitlines() if row.strip()]
    tail = " | ".join(said[-3:])[-400:]
    if done.killed_by:
        return f"the test command was ended by the limit on {done.killed_by}" + (f": {tail}" if tail else "")
    return tail or f"exit status {done.exit_code}"


def _plain(done: Completed) -> TestRun:
    name = "command"
    outcome = "passed" if done.exit_code == 0 else "timeout" if done.timed_out else "failed"
    run = TestRun({name: outcome}, collected=[name], ended=done.exit_code, duration_s=done.duration_ms / 1000)
    if done.exit_code == 127:
        run.outcomes, run.trouble = {}, done.stderr.strip()[-300:] or "command not found"
    elif outcome != "passed":
        run.failures[name] = failure_in(f"{done.stdout}\n{done.stderr}")
    return run


def failure_in(text: str) -> Failure:
    """The last exception that a text tells of, with the places of all tracebacks in it."""
    frames = []
    for path, line, function in _PLACE.findall(text):
        inside = path.removeprefix("/workspace/")
        if not inside.startswith(("/", "<")):
            frames.append((inside, int(line), function))
    last = [row.strip() for row in text.splitlines() if re.match(r"\s*[A-Za-z_.]*(?:Error|Exception)\b", row)]
    kind, _, message = (last[-1] if last else "Failed").partition(":")
    return Failure(kind.rpartition(".")[2], message.strip()[:600], tuple(frames[-40:]))


@functools.lru_cache(maxsize=1)
def _script() -> str:
    ours = resources.files(__package__)
    return "\n".join(ours.joinpath(name).read_text(encoding="utf-8") for name in ("inside_probes.py", "inside.py"))
