"""`kill -9` of each service and of the gateway in turn while agents work: `python -m services.bench.chaos runs=50`.

Starts everything as `python -m services.run` does and keeps `at_once` runs going. Whenever all parts have been up for
`every_ms`, it kills one of them.
Then it looks at what is left: every run is over and its files are right, or it failed and says which part was away;
every call acted once (each run appends one line to a file that has one); every trace can be read and has an end; no
process is left over. Exit code 1 says that one of these does not hold.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hybrid_agent.cli.exits import guarded
from hybrid_agent.errors import InfraError
from hybrid_agent.traces.reader import read_trace
from services.bench.farm import folder
from services.bench.words import read_words
from services.clients import Services
from services.load import load_serve, needed, spec_of

PARTS = ("decoder", "scorer", "planner", "tools", "gateway")
OVER = ("done", "failed", "cancelled", "lost")
START_S, RUN_S, POLL_S = 600.0, 1800.0, 0.3
NAMES = ("alpha", "bravo", "cedar", "delta", "ember", "fjord", "grove", "harbor")


@dataclass
class Tally:
    """What was seen."""

    outcomes: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class Served:
    """`python -m services.run` with a client; the processes are found as its children."""

    def __init__(self, base: Path, overrides: Sequence[str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.base, self.runs = base, base / "runs"
        self.words = words = [f"runs={self.runs}", f"services.sockets={base / 's'}", f"gateway.port={port}", *overrides]
        words += ["restart.most=1000", "restart.wait_most_s=0.5", "services.client.patience_s=300"]
        environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        self.log = (base / "log").open("wb")
        argv = [sys.executable, "-m", "services.run", *words]
        self.process = subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True
        )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """One request, sent again while the gateway is away.

        Raises:
            InfraError: it stays away.
        """
        until = time.monotonic() + START_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                reply = self.http.request(method, path, json=body)
                if reply.status_code < 500 and reply.status_code != 429:
                    return reply
            if time.monotonic() > until or self.process.poll() is not None:
                raise InfraError(f"the gateway is away: {self.tail()}")
            time.sleep(POLL_S)

    def up(self) -> bool:
        """Does the gateway answer?"""
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.http.base_url}/healthz", timeout=60).status_code == 200
        return False

    def children(self) -> dict[str, int]:
        """The process of each part that runs now."""
        found: dict[str, int] = {}
        with contextlib.suppress(OSError):
            pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            for pid in pids:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                for part in PARTS:
                    if f"services.{part}".encode() in words:
                        found[part] = int(pid)
        return found

    def tail(self) -> str:
        """The end of what it said."""
        return (self.base / "log").read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """One SIGTERM ends all."""
        self.http.close()
        self.process.terminate()
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@contextlib.contextmanager
def served(base: Path, overrides: Sequence[str]) -> Iterator[Served]:
    """Running, and stopped at the end."""
    made = Served(base, overrides)
    try:
        yield made
    finally:
        made.stop()


def goal(number: int) -> tuple[str, dict[str, str]]:
    """What run `number` is to do, and its files."""
    name = NAMES[number % len(NAMES)]
    return f"append the line 'day {number}' to {name}.log", {f"{name}.log": "start\n"}


def follow(made: Served, number: int, tally: Tally) -> None:
    """One run from its start to its end, and a look at what it left."""
    text, files = goal(number)
    body = {"goal": text, "files": files, "seed": number, "approve": "auto"}
    known = {run["id"] for run in _list(made)}
    with contextlib.suppress(InfraError):
        reply = made.ask("POST", "/v1/agent/runs", body)
        # A gateway that dies in between may have taken the goal: then it is among the runs, and done all the same.
        run = reply.json().get("id") or next((r["id"] for r in _list(made) if r["id"] not in known), "")
        until = time.monotonic() + RUN_S
        while time.monotonic() < until:
            found = made.ask("GET", f"/v1/agent/runs/{run}").json()
            if found.get("state") in OVER:
                judge(made, number, run, found, tally)
                return
            time.sleep(POLL_S)
    tally.problems.append(f"run {number} never ended")


def judge(made: Served, number: int, run: str, found: dict[str, Any], tally: Tally) -> None:
    """Is the outcome one that may be?"""
    state, reason = found["state"], str(found.get("reason") or "")
    tally.outcomes[state] += 1
    (name,) = goal(number)[1]
    lines = (made.runs / run / "workspace" / name).read_text().splitlines()
    summary = str((found.get("result") or {}).get("summary", ""))
    named = any(part in reason + summary for part in PARTS)
    infra = bool((found.get("result") or {}).get("infra"))
    added = [line for line in lines[1:] if line.startswith(f"day {number}")]  # the model may write more than was said
    if len(added) > 1 or lines[:1] != ["start"]:
        tally.problems.append(f"run {number}: a call acted twice: {lines}")
    if state == "done" and (len(lines) != 2 or not added):
        tally.problems.append(f"run {number} is done but left {lines}")
    if state == "lost" or (state == "failed" and (infra or not found.get("result")) and not named):
        tally.problems.append(f"run {number} is {state} and does not say which part was away: {reason or summary!r}")
    trace = read_trace(made.runs / run / "trace.jsonl")
    if state == "done" and trace.result is None:
        tally.problems.append(f"run {number}: its trace has no end")


def killer(made: Served, every_s: float, tally: Tally, over: threading.Event) -> None:
    """Kill one part after the other, each once all are up again and have worked for a while."""
    turn = 0
    config = load_serve(made.words)
    services = Services.from_config(config, needed(spec_of(config)))
    while not over.wait(POLL_S):
        if services.away() or not made.up() or over.wait(every_s):
            continue
        part = PARTS[turn % len(PARTS)]
        turn += 1
        pid = made.children().get(part)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                tally.kills[part] += 1
    services.close()


def left_over(base: Path) -> list[str]:
    """Processes that still mention the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                words = (entry / "cmdline").read_bytes()
                if os.fsencode(base) in words:
                    found.append(words.replace(b"\0", b" ").decode(errors="replace")[:200])
    return found


def run(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    given, overrides = read_words(words, {"runs": 50, "at_once": 4, "every_ms": 1_000})
    count, tally, over = int(given["runs"]), Tally(), threading.Event()
    with folder() as base:
        with served(base, [*overrides, f"gateway.runs.concurrent={given['at_once']}"]) as made:
            made.ask("GET", "/healthz")
            thread = threading.Thread(target=killer, args=(made, int(given["every_ms"]) / 1e3, tally, over))
            thread.start()
            try:
                with ThreadPoolExecutor(int(given["at_once"])) as pool:
                    for future in [pool.submit(follow, made, number, tally) for number in range(count)]:
                        future.result()
            finally:
                over.set()
                thread.join()
        time.sleep(1)
        tally.problems += [f"left over: {one}" for one in left_over(base)]
    print(f"{count} runs: {dict(tally.outcomes)}; killed with -9: {dict(tally.kills)}")
    for problem in tally.problems:
        print("PROBLEM", problem)
    print("held" if not tally.problems else f"{len(tally.problems)} problems")
    return 1 if tally.problems else 0


def _list(made: Served) -> list[dict[str, Any]]:
    found = made.ask("GET", "/v1/agent/runs").json()
    rows: list[dict[str, Any]] = found if isinstance(found, list) else found.get("runs", [])
    return rows


if __name__ == "__main__":
    guarded(lambda: run(sys.argv[1:]))
