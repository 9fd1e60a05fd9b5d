"""`python -m services.bench.load sessions=64 [single=8] [url=http://...] [KEY=VALUE ...]`: many agent sessions at once.

The same kinds of goals are done one after the other first, then all sessions at once. Prints latency and throughput
of both and their ratio, and that every session ended in a result or in a clear refusal. Other arguments go to the
gateway that is started for it, for example `runs.concurrent=4`; with `url` a running one is used (token:
$HYBRID_AGENT_TOKEN). Exit code 1: a session was lost.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from hybrid_agent.cli.exits import guarded
from services.bench.process import own_gateway
from services.bench.words import read_words

NAMES = ("alpha", "bravo", "cedar", "delta", "ember", "fjord", "grove", "harbor")
ENDED = ("done", "failed", "cancelled", "lost")
REQUEST_S, SESSION_S, POLL_S = 60.0, 3600.0, 0.25


@dataclass(frozen=True)
class Session:
    """One session. `outcome` is a state that a run ended in, `refused`, or what went wrong; `seconds` from asking to
    knowing."""

    outcome: str
    seconds: float

    @property
    def lost(self) -> bool:
        """Neither a result nor a clear refusal."""
        return self.outcome not in (*ENDED[:-1], "refused")


def session(url: str, number: int) -> Session:
    """One goal from a client's first word to its end."""
    name = NAMES[number % len(NAMES)]
    body = {
        "goal": f"copy {name}.txt to {name}.bak, then make a folder {name}-{number}",
        "files": {f"{name}.txt": f"{name} {number}\n"},
        "seed": number,
        "approve": "deny",
    }
    begun = time.monotonic()

    def ended(outcome: str) -> Session:
        return Session(outcome, time.monotonic() - begun)

    token = os.environ.get("HYBRID_AGENT_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=url, timeout=REQUEST_S, headers=headers) as client:
            reply = client.post("/v1/agent/runs", json=body)
            if reply.status_code in (429, 503) and "Retry-After" in reply.headers:
                return ended("refused")
            if reply.status_code != 201:
                return ended(f"HTTP {reply.status_code}")
            run = reply.json()["id"]
            while time.monotonic() - begun < SESSION_S:
                state = _state(client, run)
                if state in ENDED:
                    return ended(state)
                time.sleep(POLL_S)
    except httpx.HTTPError as error:
        return ended(type(error).__name__)
    return ended("no end")


def _state(client: httpx.Client, run: str) -> str:
    """A run's state; asking does no harm, so a connection that broke is tried once more."""
    try:
        reply = client.get(f"/v1/agent/runs/{run}")
    except httpx.TransportError:
        reply = client.get(f"/v1/agent/runs/{run}")
    return str(reply.json()["state"])


def measure(url: str, sessions: int, at_once: int) -> tuple[list[Session], float]:
    """The sessions, `at_once` at a time, and the seconds they took together."""
    begun = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        found = list(pool.map(lambda number: session(url, number), range(sessions)))
    return found, time.monotonic() - begun


def report(name: str, found: Sequence[Session], seconds: float) -> float:
    """Print one line; returns ended runs a second."""
    worked = sorted(one.seconds for one in found if one.outcome in ENDED)
    outcomes = " ".join(f"{outcome}={count}" for outcome, count in sorted(Counter(o.outcome for o in found).items()))
    rate = len(worked) / seconds
    at = [worked[min(len(worked) - 1, int(len(worked) * share))] for share in (0.5, 0.95)] if worked else [0.0, 0.0]
    lost = sum(one.lost for one in found)
    print(f"{name:>14}: {outcomes} lost={lost}  p50 {at[0]:.2f} s  p95 {at[1]:.2f} s  {rate:.3f} runs/s", flush=True)
    return rate


def main(words: Sequence[str]) -> int:
    """See the module."""
    given, rest = read_words(words, {"sessions": 64, "single": 8, "url": ""})
    sessions, single = int(given["sessions"]), int(given["single"])

    def both(url: str) -> int:
        alone, alone_s = measure(url, single, 1)
        slow = report("one at a time", alone, alone_s)
        found, found_s = measure(url, sessions, sessions)
        fast = report(f"{sessions} at once", found, found_s)
        print(f"throughput, all at once against one at a time: {fast / slow if slow else 0:.2f}x")
        return int(any(one.lost for one in (*alone, *found)))

    if given["url"]:
        return both(str(given["url"]))
    with tempfile.TemporaryDirectory() as folder, own_gateway(Path(folder) / "runs", rest) as (url, _):
        return both(url)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the gateway is stopped too
    guarded(lambda: main(sys.argv[1:]))
