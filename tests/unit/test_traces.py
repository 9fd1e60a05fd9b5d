"""A trace survives a kill at any byte, and says which line is wrong when it is not one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.traces.store import TraceWriter
from hybrid_agent.types import Observation, Segment, Step, StepMs, TestCounts, Verdict, Window

STEPS = [
    Step(action="plan", content='{"tool":"plan"}', ok=True, window=Window(goal="g"), obs=Observation(ok=True)),
    Step(
        action="tool",
        content='{"tool":"fs","args":{"op":"mkdir","path":"a\\nb"}}',
        candidates=(Segment(text="ü\u2028\n", logprob=float("-inf"), tokens=3, forced=2),),
        verdict=Verdict(allow=True, state_changing=True),
        obs=Observation(ok=False, stderr="line\nline\r\n\x00", exit_code=1, denied="hazard"),
        snapshot="s1",
        ms=StepMs(decode=1.25),
    ),
]


def write(path: Path, end: bool = True) -> None:
    with TraceWriter(path) as writer:
        writer.start("make a folder", run_id="r1", task_id="t", seed=7, workspace="/w", env={"a": "b"})
        for step in STEPS:
            writer.step(step)
        if end:
            writer.end("success", "done", TestCounts(passed=2))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    write(path)
    trace = read_trace(path)
    assert list(trace.steps) == STEPS
    assert (trace.run_id, trace.task_id, trace.seed, trace.workspace, trace.env) == ("r1", "t", 7, "/w", {"a": "b"})
    assert (trace.result, trace.summary, trace.tests.passed) == ("success", "done", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["trace.jsonl"]


def test_readable_after_a_cut_at_any_byte(tmp_path: Path) -> None:
    path, cut = tmp_path / "trace.jsonl", tmp_path / "cut.jsonl"
    write(path)
    data = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(data) if byte == 10]
    assert len(ends) == 4
    for size in range(len(data) + 1):
        cut.write_bytes(data[:size])
        whole = sum(end <= size for end in ends)
        if whole == 0:
            with pytest.raises(InputError, match="no header line"):
                read_trace(cut)
            continue
        trace = read_trace(cut)
        assert list(trace.steps) == STEPS[: whole - 1]
        assert trace.result == ("success" if whole == 4 else None)


def test_each_step_is_on_disk_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    with TraceWriter(path) as writer:
        writer.start("g", run_id="r")
        for count, step in enumerate(STEPS, 1):
            writer.step(step)
            assert len(read_trace(path).steps) == count
            assert read_trace(path).result is None


def test_readable_after_a_real_kill(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    script = (
        "import sys; from pathlib import Path; from hybrid_agent.traces.store import TraceWriter\n"
        "from hybrid_agent.types import Step\n"
        "w = TraceWriter(Path(sys.argv[1])); w.start('g', run_id='r')\n"
        "for i in range(10**6):\n"
        "    w.step(Step(action='tool', content=str(i) * 50))\n"
        "    print(i, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while int(process.stdout.readline()) < 20:
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    trace = read_trace(path)
    assert len(trace.steps) >= 20
    assert [step.content for step in trace.steps] == [str(i) * 50 for i in range(len(trace.steps))]
    assert trace.result is None


def test_text_that_is_not_unicode_is_stored_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    with TraceWriter(path) as writer:
        writer.start("bad \ud800 goal", run_id="r")
        writer.step(Step(action="tool", content="\udcff", obs=Observation(ok=True, stdout="a\udcffb")))
    trace = read_trace(path)
    assert trace.goal == "bad ? goal"
    assert trace.steps[0].obs is not None
    assert trace.steps[0].obs.stdout == "a?b"


def test_an_exception_ends_the_trace(tmp_path: Path) -> None:
    for name, error, result in [("a", KeyboardInterrupt(), "partial"), ("b", OSError("gone"), "infra_failure")]:
        with pytest.raises(type(error)), TraceWriter(tmp_path / name) as writer:
            writer.start("g", run_id="r")
            raise error
        assert read_trace(tmp_path / name).result == result


def test_redaction_happens_before_storage(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    with TraceWriter(path, redact=lambda text: text.replace("hunter2", "***")) as writer:
        writer.start("use hunter2", run_id="r")
        writer.step(Step(action="tool", content="hunter2"))
    assert b"hunter2" not in path.read_bytes()
    assert read_trace(path).goal == "use ***"


def test_a_trace_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    write(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="already"):
        write(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("number", "change", "says"),
    [
        (1, lambda line: {**line, "format": 99}, [":1", "format", "99"]),
        (1, lambda line: {**line, "line": "step"}, [":1", "header"]),
        (1, lambda line: {**line, "gaol": "x"}, [":1", "gaol", "'goal'"]),
        (2, lambda line: {**line, "line": "stop"}, [":2", "'stop'"]),
        (3, lambda line: {**line, "step": {**line["step"], "ok": "maybe"}}, [":3", "step.ok", "true or false"]),
        (3, lambda line: {**line, "step": {**line["step"], "action": "tol"}}, [":3", "step.action", "'tool'"]),
        (3, lambda line: [1], [":3", "not a line of a trace"]),
        (4, lambda line: {**line, "result": "succes"}, [":4", "result", "'success'"]),
    ],
)
def test_errors_name_the_line(tmp_path: Path, number: int, change, says: list[str]) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "trace.jsonl"
    write(path)
    lines = path.read_text().rstrip("\n").split("\n")
    lines[number - 1] = json.dumps(change(json.loads(lines[number - 1])))
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        read_trace(path)
    assert caught.value.fix
    for part in says:
        assert part in str(caught.value)


def test_garbage_in_the_middle_and_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    write(path)
    good = path.read_bytes()
    path.write_bytes(good.replace(b'{"line":"end"', b'{"line":"end', 1))
    with pytest.raises(InputError, match=":4: not JSON"):
        read_trace(path)
    path.write_bytes(good + good.split(b"\n")[1] + b"\n")
    with pytest.raises(InputError, match=":5: text after the end"):
        read_trace(path)
