"""`make compose-test`: builds the images, starts the cpu profile, and has the agent do a task, from outside, over HTTP.

Exit code 0: it worked, or no container engine can run here (the reason is printed). 1: something is wrong.
Standard library only; engine and compose plugin are used through the program `docker`, with the caller's settings.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WHEELS = ROOT / "docker" / "wheels"
HEALTHY_S = int(os.environ.get("COMPOSE_TEST_WAIT_S", "900"))
RUN_S = 900
GOAL = "make a folder reports, then write a file reports/summary.txt containing 'all good'"
MADE, TEXT = "reports/summary.txt", "all good"
CLOSED = ("decoder", "scorer", "planner", "tools")  # without any network


class Failed(Exception):
    """A check did not hold."""


def say(text: str) -> None:
    """One line of the report."""
    print(f"compose-test: {text}", flush=True)


def why_not() -> str | None:
    """Why no engine can be used here, if so."""
    for command, what in (
        (["docker", "version", "--format", "{{.Server.Version}}"], "no container engine answers"),
        (["docker", "compose", "version", "--short"], "docker has no compose plugin"),
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{what}: {error}"
        if done.returncode:
            return f"{what}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no reason given'}"
        say(f"{' '.join(command[:2])} {done.stdout.strip()}")
    return None


class Stack:
    """The services under a project name of our own."""

    def __init__(self) -> None:
        self.project = f"hybrid-agent-test-{os.getpid()}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.token = secrets.token_urlsafe(32)
        self.env = {
            **os.environ,
            "GATEWAY_PORT": str(self.port),
            "GATEWAY_BIND": "127.0.0.1",
            "HYBRID_AGENT_TOKEN": self.token,
            "COMPOSE_PROFILES": "cpu",
        }

    def compose(self, *arguments: str, quiet: bool = False) -> str:
        """`docker compose ...` in the root of the checkout, which finds the file by .env."""
        command = ["docker", "compose", "-p", self.project, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.env, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if quiet else None, check=False,
        )  # fmt: skip
        if done.returncode:
            hint = ""
            if "build" in arguments and not any(WHEELS.glob("*.whl")):
                hint = "; if no package index can be reached from a build: sh docker/wheelhouse.sh, then again"
            raise Failed(f"{' '.join(command)} ended with {done.returncode}{hint}")
        return done.stdout

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One HTTP request to the gateway; JSON becomes values."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                data = reply.read()
        except urllib.error.HTTPError as error:
            raise Failed(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None
        with contextlib.suppress(ValueError):
            return json.loads(data)
        return data.decode()

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's container."""
        name = self.compose("ps", "-q", service, quiet=True).strip()
        found = subprocess.run(["docker", "inspect", name], capture_output=True, text=True, check=True).stdout
        return dict(json.loads(found)[0])


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    """Started and healthy; taken down with its volumes in any case."""
    stack = Stack()
    begun = time.monotonic()
    try:
        stack.compose("build")
        say(f"built in {time.monotonic() - begun:.0f} s")
        begun = time.monotonic()
        stack.compose("up", "-d", "--no-build", "--pull", "never", "--wait", "--wait-timeout", str(HEALTHY_S))
        say(f"healthy after {time.monotonic() - begun:.0f} s")
        yield stack
    except BaseException:
        with contextlib.suppress(Failed):
            print(stack.compose("ps", "-a", quiet=True) + stack.compose("logs", "--tail", "40", quiet=True))
        raise
    finally:
        begun = time.monotonic()
        stack.compose("down", "--volumes", "--remove-orphans")
        say(f"taken down in {time.monotonic() - begun:.0f} s")


def check_walls(stack: Stack) -> None:
    """Nobody is root, writes to its image, or has a capability; only the gateway has a network."""
    for service in ("gateway", *CLOSED):
        found = stack.inspect(service)
        host = found["HostConfig"]
        if host["Privileged"] or not host["ReadonlyRootfs"] or host["CapDrop"] != ["ALL"] or host["CapAdd"]:
            raise Failed(f"{service} has rights it should not have")
        if found["Config"]["User"] != "10001:10001" or "no-new-privileges:true" not in host["SecurityOpt"]:
            raise Failed(f"{service} may become someone else")
        if service in CLOSED and host["NetworkMode"] != "none":
            raise Failed(f"{service} has a network")
        if any("docker.sock" in mount["Source"] for mount in found["Mounts"]):
            raise Failed(f"{service} can reach the engine")
    say("walls: no root, no capability, read-only images; no network but the gateway's")


def check_jails(stack: Stack) -> None:
    """Inside the tools container jails work, and a call in one sees neither the services' sockets nor their data."""
    command = ["exec", "-T", "tools", "python", "-m", "hybrid_agent.tools.sandbox.doctor"]
    lines = stack.compose(*command, quiet=True).splitlines()
    if not any(line.split() == ["backend", "bubblewrap"] for line in lines):
        raise Failed(f"no jail in the tools container: {lines}")
    look = """
import pathlib, tempfile
from hybrid_agent.tools.sandbox import make_sandbox
with tempfile.TemporaryDirectory() as folder:
    box = make_sandbox("bubblewrap", pathlib.Path(folder))
    print(box.run(["sh", "-c", "ls /sockets /data /app; cat /proc/1/environ | grep -c TOKEN"]).stdout.strip())
    box.close()
"""
    seen = stack.compose("exec", "-T", "tools", "python", "-c", look, quiet=True).strip()
    if seen != "0":
        raise Failed(f"a jail sees what it should not: {seen}")
    say("jails work in the tools container and see nothing of the services")


def check_open(stack: Stack) -> None:
    """Without the token nothing is answered but the health page."""
    stranger = Stack.__new__(Stack)
    stranger.port, stranger.token = stack.port, "not-the-token"
    try:
        stranger.call("GET", "/v1/agent/runs")
    except Failed as refused:
        if " 401 " not in str(refused) and " 403 " not in str(refused):
            raise
    else:
        raise Failed("runs are listed for anybody")
    say("strangers are refused")


def agent_run(stack: Stack) -> None:
    """A goal, to its end; the file must be there."""
    begun = time.monotonic()
    run = stack.call("POST", "/v1/agent/runs", {"goal": GOAL, "seed": 0, "approve": "auto"})["id"]
    state: dict[str, Any] = {}
    while time.monotonic() - begun < RUN_S:
        state = stack.call("GET", f"/v1/agent/runs/{run}")
        if state["state"] in ("done", "failed", "cancelled", "lost"):
            break
        time.sleep(0.5)
    if state.get("state") != "done":
        raise Failed(f"the run ended as {state}")
    text = stack.call("GET", f"/v1/agent/runs/{run}/artifacts/{MADE}")
    if str(text).strip() != TEXT:
        raise Failed(f"{MADE} holds {text!r}")
    say(f"agent run done in {time.monotonic() - begun:.1f} s: {GOAL!r}")


def chat(stack: Stack) -> None:
    """A completion in the shape that OpenAI clients read."""
    body = {"model": "hybrid-agent", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 8}
    reply = stack.call("POST", "/v1/chat/completions", body)
    if reply["object"] != "chat.completion" or not reply["choices"]:
        raise Failed(f"not a completion: {reply}")
    say("chat completion answered")


def restart(stack: Stack) -> None:
    """A service that dies is started again by the engine, and the next run works."""
    before = stack.inspect("tools")["RestartCount"]
    stack.compose(
        "exec", "-T", "tools", "sh", "-c", "kill -9 $(pgrep -xf 'python -m services[.]container tools.*')", quiet=True
    )
    for _ in range(240):
        found = stack.inspect("tools")
        if found["RestartCount"] > before and found["State"]["Health"]["Status"] == "healthy":
            break
        time.sleep(0.5)
    else:
        raise Failed("the killed tools service did not come back")
    say("a killed service came back by itself")


def main() -> int:
    """Do it all."""
    if (reason := why_not()) is not None:
        say(f"SKIPPED, {reason}")
        return 0
    try:
        with running() as stack:
            check_walls(stack)
            check_jails(stack)
            check_open(stack)
            agent_run(stack)
            chat(stack)
            restart(stack)
            agent_run(stack)
    except Failed as failure:
        say(f"FAILED: {failure}")
        return 1
    say("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
