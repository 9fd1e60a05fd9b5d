"""The real command in a real process, with scripted decoder replies instead of a model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.packs.store import write_tasks

ROOT = Path(__file__).resolve().parents[2]

Call = dict[str, Any]


def call(tool: str, **args: Any) -> Call:
    return {"tool": tool, "args": args}


def plan(*steps: str) -> Call:
    return call("plan", op="set", steps=list(steps))


def done(**check: Any) -> Call:
    return call("plan", op="done", check=check)


def finish(status: str = "done", summary: str = "all checks passed") -> Call:
    return call("finish", status=status, summary=summary)


def environment(home: Path) -> dict[str, str]:
    """A person's environment whose home is a test folder."""
    keep = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    return {**keep, "HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


class Cli:
    """Runs `hybrid-agent` commands; each test has a home of its own."""

    def __init__(self, base: Path) -> None:
        self.home = base / "home"
        self.home.mkdir()
        self.cwd = base / "cwd"
        self.cwd.mkdir()
        self.runs = self.home / ".local/state/hybrid-agent/runs"
        self._scripts = 0

    def script(self, *calls: Call | str) -> str:
        """The value of --decoder that makes the agent say these calls."""
        self._scripts += 1
        path = self.home / f"script{self._scripts}.json"
        path.write_text(json.dumps(list(calls)))
        return f"script:{path}"

    def argv(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "hybrid_agent.cli", *args]

    def __call__(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*args),
            cwd=self.cwd,
            env={**environment(self.home), **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(*args),
            cwd=self.cwd,
            env=environment(self.home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hear_ctrl_c,
        )

    def run_dir(self) -> Path:
        """The one run directory there is."""
        (only,) = self.runs.iterdir()
        return only


def small_pack(base: Path, **counts: int) -> str:
    """A folder of packs (for AGENT_DATA) with a few real tasks of each split."""
    folder = base / "packs" / "os"
    folder.mkdir(parents=True)
    pack = load_pack("os")
    tasks = [make_task(pack, split, seed) for split, count in counts.items() for seed in range(count)]  # type: ignore[arg-type]
    shutil.copy(pack.folder / "pack.yaml", folder)
    write_tasks(folder / "tasks.jsonl", tasks)
    return str(folder.parent)


def hear_ctrl_c() -> None:
    """In a child before it starts: SIGINT as in a terminal, even where the tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 40) -> None:
    """Wait until the condition holds while the process lives."""
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)


def picture(folder: Path) -> dict[str, tuple[str, int, bytes]]:
    """Everything below a folder: kind, mode and content (or link target)."""
    found: dict[str, tuple[str, int, bytes]] = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        if path.is_symlink():
            content, kind = str(path.readlink()).encode(), "link"
        elif path.is_dir():
            content, kind = b"", "dir"
        else:
            content, kind = path.read_bytes(), "file"
        found[path.relative_to(folder).as_posix()] = (kind, stat.S_IMODE(state.st_mode), content)
    return found
