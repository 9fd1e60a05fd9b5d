"""The real gateway in a real process, on a free port, with runs of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 300.0  # only a guard against hanging: the machine may be busy
ENDED = ("done", "failed", "cancelled", "lost")

Event = dict[str, Any]


class Gateway:
    """`python -m services.gateway` with overrides; `base` holds its runs and its output."""

    def __init__(self, base: Path, *overrides: str, env: dict[str, str] | None = None) -> None:
        self.runs, self._base = base / "runs", base
        self._overrides, self._env = overrides, env or {}
        self.start()

    def start(self) -> None:
        """Start it (again)."""
        self._log = (self._base / "log").open("ab")
        keep = {key: os.environ[key] for key in ("PATH", "LANG", "HOME", "HF_HUB_OFFLINE") if key in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.gateway", "port=0", f"runs={self.runs}", *self._overrides],
            env={**keep, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **self._env},
            cwd=self._base,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("gateway: http://"), (line, self.log())
        self.url = line.split()[1]
        self.http = httpx.Client(base_url=self.url, timeout=PATIENCE_S)

    def log(self) -> str:
        """What it has written to stderr."""
        return (self._base / "log").read_text()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """End it in order; returns the exit code."""
        self.http.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()
        return self.process.returncode

    # --- requests
    def begin(self, goal: str = "do it", **fields: Any) -> str:
        """Start a run; its id."""
        reply = self.http.post("/v1/agent/runs", json={"goal": goal, **fields})
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    def run(self, run: str) -> dict[str, Any]:
        """What is said of a run."""
        reply = self.http.get(f"/v1/agent/runs/{run}")
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def post(self, run: str, what: str, body: Any = None) -> httpx.Response:
        """One of the things that can be done to a run."""
        return self.http.post(f"/v1/agent/runs/{run}/{what}", json=body)

    def follow(self, run: str, after: int = 0, until: Any = None, header: bool = False) -> list[Event]:
        """Events as they come over SSE, to the end of the run or the first that `until` likes."""
        found: list[Event] = []
        named = {"headers": {"Last-Event-ID": str(after)}} if header else {"params": {"after": after}}
        with self.http.stream("GET", f"/v1/agent/runs/{run}/events", **named) as reply:  # type: ignore[arg-type]
            if reply.status_code == 204:
                return []
            assert reply.status_code == 200
            assert reply.headers["content-type"].startswith("text/event-stream")
            number = 0
            for line in reply.iter_lines():
                if line.startswith("id:"):
                    number = int(line[3:])
                elif line.startswith("data:"):
                    found.append(json.loads(line[5:]))
                    assert found[-1]["id"] == number
                    if until is not None and until(found[-1]):
                        break
        return found

    def ended(self, run: str) -> dict[str, Any]:
        """Wait for a run's end."""
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE_S:
            found = self.run(run)
            if found["state"] in ENDED:
                return found
            time.sleep(0.1)
        raise AssertionError(f"still {found['state']}: {self.log()}")

    def waiting(self, run: str) -> str:
        """Wait for a question; its name."""
        asked = self.follow(run, until=lambda e: e["type"] == "approval" and e["data"]["state"] == "asked")
        assert asked[-1]["type"] == "approval", asked[-1]
        return str(asked[-1]["data"]["approval"])


def script(folder: Path, *calls: dict[str, Any]) -> str:
    """The override that makes the agent say these calls."""
    path = folder / "script.json"
    path.write_text(json.dumps(list(calls)))
    return f"decoder=script:{path}"


def states(events: list[Event]) -> list[str]:
    """The states that a run went through."""
    return [event["data"]["state"] for event in events if event["type"] == "run"]


def core(step: dict[str, Any], digits: int | None = None) -> dict[str, Any]:
    """A step without what differs between two runs: times; with numbers rounded, if `digits` says so."""
    obs = {key: value for key, value in (step["obs"] or {}).items() if key != "duration_ms"}
    kept = {**{key: value for key, value in step.items() if key not in ("ms", "obs")}, "obs": obs}
    found: dict[str, Any] = json.loads(json.dumps(kept), parse_float=lambda text: _rounded(float(text), digits))
    return found


def _rounded(value: float, digits: int | None) -> float:
    return value if digits is None else round(value, digits)
