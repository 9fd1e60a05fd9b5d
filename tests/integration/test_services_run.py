"""Processes that are kept up and end together; the commands around them; fuzzing and the hop bench at a small size."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from service_parts import random_planner, random_scorer

from hybrid_agent.config.serve import ServeConfig
from hybrid_agent.errors import InputError
from services.bench.farm import folder
from services.bench.fuzz_grpc import run as fuzz
from services.load import load_serve
from services.run import commands

ROOT = Path(__file__).resolve().parents[2]
KEEP = """
import sys
from hybrid_agent.config.serve import RestartConfig
from services.processes import Supervisor
loop = "import time, pathlib, sys, os; pathlib.Path(sys.argv[1]).open('a').write(f'{os.getpid()} '); time.sleep(3600)"
names = ["one", "two"]
argv = {n: [sys.executable, "-c", loop, f"{sys.argv[1]}/{n}"] for n in names}
if len(sys.argv) > 2:
    argv["three"] = [sys.executable, "-c", f"import sys; sys.exit({sys.argv[2]})"]
sys.exit(Supervisor(argv, RestartConfig(wait_s=0, most=3), stop_s=5).run())
"""


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)
    return found


def pids(folder: Path, name: str) -> list[int]:
    path = folder / name
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def keeper(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", KEEP, str(folder), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_is_killed_comes_again_and_one_signal_ends_all(tmp_path: Path) -> None:
    process = keeper(tmp_path)
    wait_for(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    os.kill(pids(tmp_path, "one")[0], signal.SIGKILL)
    wait_for(lambda: len(pids(tmp_path, "one")) == 2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "one was killed by signal 9; starting it again" in said
    assert not any(alive(pid) for name in ("one", "two") for pid in pids(tmp_path, name))


def test_the_death_of_the_keeper_is_that_of_its_processes(tmp_path: Path) -> None:
    process = keeper(tmp_path)
    wait_for(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    process.kill()
    process.communicate(timeout=60)
    wait_for(lambda: not any(alive(pid) for name in ("one", "two") for pid in pids(tmp_path, name)))


@pytest.mark.parametrize(("code", "ends", "says"), [("2", 2, "it would again"), ("7", 1, "giving up")])
def test_what_cannot_be_kept_up_ends_all(tmp_path: Path, code: str, ends: int, says: str) -> None:
    process = keeper(tmp_path, code)
    _, said = process.communicate(timeout=60)
    assert process.returncode == ends and says in said
    assert not any(alive(pid) for name in ("one", "two") for pid in pids(tmp_path, name))


def test_only_what_the_parts_need_is_started(tmp_path: Path) -> None:
    words = [f"runs={tmp_path}", "hybrid=greedy", "scorer=null"]
    todo = commands(load_serve(words), words)
    assert "tools" in todo and "decoder" in todo and list(todo)[-1] == "gateway"
    assert todo["gateway"][-1] == "gateway.parts=served" and todo["decoder"][1:3] == ["-m", "services.decoder"]
    parts = [f"scorer={random_scorer(tmp_path / 's')}", f"planner={random_planner(tmp_path / 'p')}"]
    todo = commands(load_serve(parts), [*parts, "gateway.parts=local"])
    assert list(todo) == ["tools", "scorer", "planner", "decoder", "gateway"]
    assert "gateway.parts=served" not in todo["gateway"]


def test_the_shipped_config_is_the_schemas_own() -> None:
    shipped = load_serve([])
    assert shipped.services == ServeConfig().services and shipped.restart == ServeConfig().restart
    with pytest.raises(InputError, match="unknown key"):
        load_serve(["services.decoder.adress=x"])


def test_a_mistake_in_the_command_is_bad_input() -> None:
    words = [sys.executable, "-m", "hybrid_agent.cli", "serve", "services.decoder.address=127.0.0.1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "not an address" in done.stderr, done.stderr


def test_malformed_calls_are_never_our_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with folder() as base:
        parts = [f"scorer={random_scorer(base / 'scorer')}", f"planner={random_planner(base / 'planner')}"]
        assert fuzz(["n=250", "seed=3", *parts]) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "250 malformed calls of 27 methods" in said and "held" in said
