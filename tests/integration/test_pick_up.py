"""An agent that is killed in the middle of a call, and goes on in another process without doing anything twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hybrid_agent.assemble.agent import AgentOptions, assemble_agent
from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.hybrid import make_hybrid
from hybrid_agent.assemble.parts import find_parts
from hybrid_agent.assemble.pick_up import pick_up
from hybrid_agent.assemble.presets import preset
from hybrid_agent.assemble.rundir import RunDir, create_run
from hybrid_agent.errors import InputError
from hybrid_agent.traces.reader import read_trace
from tests.integration.cli_process import call, done, environment, finish, plan

BEGINNING = (
    plan("log once", "look"),
    call("fs", op="write", path="first.txt", text="1\n"),
    call("fs", op="read", path="first.txt"),
)
SLOW = call("shell", cmd="echo once >> log.txt; sleep 120")
REST = (
    call("shell", cmd="echo once >> log.txt"),
    done(kind="equals", path="log.txt", text="once"),
    done(kind="exists", path="first.txt"),
    finish(),
)

KILLED = """
import sys
from pathlib import Path
from tests.integration.test_pick_up import episode
episode(Path(sys.argv[1]), Path(sys.argv[2]), resume=False)
"""


def episode(folder: Path, script: Path, *, resume: bool) -> bool:
    """Begin the run in `folder`, or go on with it; whether it was verified."""
    run = RunDir(folder)
    hybrid = make_hybrid(find_parts(parse_decoder(f"script:{script}"), preset("greedy")))
    info = run.info()
    with (
        run.lock(),
        assemble_agent(
            run, hybrid=hybrid, workspace=Path(info.workspace), options=AgentOptions(approve="auto")
        ) as agent,
    ):
        return agent.run(info.goal, done=pick_up(run) if resume else None).verified


def begin(tmp_path: Path, *calls: dict[str, Any], goal: str = "log it") -> tuple[RunDir, Path]:
    """A run, and the script of its first process."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps(calls))
    where: dict[str, Any] = {"decoder": "script", "model": "x", "sandbox": "bubblewrap", "approve": "auto", "seed": 0}
    return create_run(tmp_path / "runs", goal=goal, workspace=None, **where), script


def killed_in_the_slow_call(tmp_path: Path, run: RunDir, script: Path) -> None:
    """Let a process work until the slow call has left its mark, then kill it."""
    home = tmp_path / "home"
    home.mkdir()
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(run.path), str(script)], env=environment(home))
    mark = Path(run.info().workspace) / "log.txt"
    try:
        until = time.monotonic() + 300
        while not (mark.exists() and mark.read_text()):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()


def test_a_call_that_was_under_way_is_taken_back_and_made_once(tmp_path: Path) -> None:
    run, script = begin(tmp_path, *BEGINNING, SLOW)
    killed_in_the_slow_call(tmp_path, run, script)
    log = Path(run.info().workspace) / "log.txt"
    assert log.read_text() == "once\n"  # done, but no step says so
    assert len(read_trace(run.trace).steps) == 3
    with run.trace.open("ab") as file:
        file.write(b'{"line":"step","st')  # and killed while it wrote
    script.write_text(json.dumps(REST))
    assert episode(run.path, script, resume=True)
    assert log.read_text() == "once\n"
    trace = read_trace(run.trace)
    assert trace.result == "success" and len(trace.steps) == 7
    assert (Path(run.info().workspace) / "first.txt").read_text() == "1\n"
    with pytest.raises(InputError, match="has ended"):
        pick_up(run)


def test_what_a_finished_step_did_stays(tmp_path: Path) -> None:
    run, script = begin(tmp_path, *BEGINNING, SLOW)
    killed_in_the_slow_call(tmp_path, run, script)
    # As if the kill had come before the slow call began: nothing is under way, nothing may be taken back.
    (run.state / "acting.json").write_text(json.dumps({"number": 1, "snapshot": "000001"}))
    assert len(pick_up(run)) == 3
    assert (Path(run.info().workspace) / "first.txt").exists()
    assert (Path(run.info().workspace) / "log.txt").exists()


def test_a_trace_with_secrets_cut_out_is_not_gone_on_with(tmp_path: Path) -> None:
    secret = call("fs", op="write", path="key.txt", text="ghp_" + "a1" * 20)
    run, script = begin(tmp_path, plan("log once", "look"), secret, SLOW)
    killed_in_the_slow_call(tmp_path, run, script)
    with pytest.raises(InputError, match="secrets"):
        pick_up(run)
