"""Deadlines and cancellation reach what runs; a call that is sent twice acts once; sessions outlive their process."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from hybrid_agent.errors import Cancelled, InfraError, InputError
from hybrid_agent.types import Budget, Control, Observation, Segment, SetupItem, Step, ToolCall, Verdict, Window
from services import wire
from services.bench.farm import Farm, farm
from services.call import current_call, time_for
from services.clients import ToolboxClient
from services.status import OutOfTime
from services.wire import decoder_pb2, tools_pb2

ROOT = Path(__file__).resolve().parents[2]
LONG = Window(goal="say it", phase="step", steps=("write a very long text into notes.txt",))


def shell(cmd: str) -> ToolCall:
    return ToolCall.model_validate({"tool": "shell", "args": {"cmd": cmd}, "policy": {"timeout_s": 300}})


def wait_for(condition: Callable[[], Any], seconds: float = 90) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)
    return found


def sleepers(number: str) -> list[int]:
    """Processes that sleep for this odd time."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "cmdline").read_bytes().split(b"\0")[:2] == [
                b"sleep",
                number.encode(),
            ]:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def tools() -> Iterator[Farm]:
    # Calls here do what no goal asks for; the policy classifier would rightly stop them.
    with farm("tools", overrides=["hybrid.gate=off"]) as made:
        yield made


@pytest.fixture(scope="module")
def writing() -> Iterator[Farm]:
    with farm("decoder", overrides=["hybrid.constrained=false"]) as made:
        yield made


def execute(made: Farm, session: str, call: ToolCall, key: str, **more: Any) -> Any:
    stub = wire.tools_pb2_grpc.ToolsStub(made.services.channels["tools"].grpc)
    request = tools_pb2.ExecuteRequest(session=session, key=key, call=wire.dump(call))
    return stub.Execute.future(request, **more)


@pytest.mark.parametrize("way", ["cancel", "deadline"])
def test_the_end_of_a_call_kills_its_process_and_the_call_has_not_happened(tools: Farm, way: str) -> None:
    session, number = f"kill-{way}", {"cancel": "917.25", "deadline": "918.25"}[way]
    toolbox = tools.services.open(session, setup=[SetupItem(path="a.txt", text="one")], approve="auto")
    call = shell(f"echo two > a.txt; sleep {number}")
    future = execute(tools, session, call, "key-00000001", timeout=300 if way == "cancel" else 8)
    wait_for(lambda: sleepers(number))
    if way == "cancel":
        future.cancel()
    with pytest.raises((grpc.FutureCancelledError, grpc.RpcError)):
        future.result()
    wait_for(lambda: not sleepers(number))
    # The same key again: what it had done is undone first, then it runs.
    assert wait_for(lambda: toolbox.workspace.read("a.txt")) == b"two\n"
    second = execute(tools, session, call, "key-00000001", timeout=300)
    wait_for(lambda: sleepers(number))
    second.cancel()
    wait_for(lambda: not sleepers(number))
    assert toolbox.roll_back(None) == "000001"
    assert toolbox.workspace.read("a.txt") == b"one"


def test_a_person_waiting_for_a_candidate_may_leave(writing: Farm) -> None:
    stub = wire.decoder_pb2_grpc.DecoderStub(writing.services.channels["decoder"].grpc)
    budget = Budget(k=4, temperature=5.0, max_tokens=400, seed=1)
    request = decoder_pb2.ProposeRequest(window=wire.dump(LONG), budget=wire.dump(budget), partials=True)
    decoder: Any = writing.services.decoder()
    decoder.propose(LONG, Budget(max_tokens=4), Control())  # loaded and warm
    begun = time.monotonic()
    whole = sum(1 for _ in stub.Propose(request, timeout=600))
    took = time.monotonic() - begun
    call = stub.Propose(request, timeout=600)
    first = next(event for event in call if event.WhichOneof("event") == "partial")
    assert first.partial.text
    call.cancel()
    begun = time.monotonic()
    decoder.propose(LONG, Budget(max_tokens=4), Control())
    waited = time.monotonic() - begun
    assert whole > 8, "too short a text to leave in the middle of"
    assert waited < took, "the decoder wrote on for nobody"


def test_a_deadline_ends_the_writing(writing: Farm) -> None:
    channel = writing.services.channels["decoder"]
    stub = wire.decoder_pb2_grpc.DecoderStub(channel.grpc)
    budget = Budget(k=16, temperature=5.0, max_tokens=8000, seed=1)
    request = decoder_pb2.ProposeRequest(window=wire.dump(LONG), budget=wire.dump(budget))
    with pytest.raises(OutOfTime, match="decoder service did not answer in time"):
        list(channel.stream(stub.Propose, request, 0.15))


def test_partial_texts_grow_and_end_in_the_candidate(writing: Farm) -> None:
    shown: list[tuple[int, str]] = []
    decoder = writing.services.decoder(on_partial=lambda candidate, text: shown.append((candidate, text)))
    found = decoder.propose(LONG, Budget(max_tokens=200, temperature=5.0, k=1, seed=3), Control())
    assert len(shown) >= 2 and all(candidate == 0 for candidate, _ in shown)
    assert all(later.startswith(earlier[:20]) for (_, earlier), (_, later) in itertools.pairwise(shown))
    assert found[0].text


def test_our_callers_deadline_is_that_of_our_own_calls() -> None:
    from services.call import answering

    class Context:
        def time_remaining(self) -> float:
            return 3.0

        def add_callback(self, callback: Callable[[], None]) -> bool:
            self.gone = callback
            return True

    context: Any = Context()
    assert time_for(60) == 60
    with answering(context) as call:
        assert time_for(60) == 3.0 and time_for(1) == 1 and current_call() is call
        context.gone()
        with pytest.raises(Cancelled):
            call.check()
    assert current_call() is None


def test_a_call_that_is_sent_twice_acts_once(tools: Farm) -> None:
    toolbox = tools.services.open("twice")
    append = shell("echo x >> log.txt")
    first = execute(tools, "twice", append, "key-00000002").result()
    again = execute(tools, "twice", append, "key-00000002").result()
    assert (first.repeated_key, again.repeated_key) == (False, True)
    assert first.observation == again.observation
    assert toolbox.workspace.read("log.txt") == b"x\n"
    with pytest.raises(grpc.RpcError) as caught:
        execute(tools, "twice", shell("true"), "key-00000002").result()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT and "key" in caught.value.details()
    toolbox.execute(append)  # a key of its own
    assert toolbox.workspace.read("log.txt") == b"x\nx\n"


def test_a_person_is_asked_by_the_client_and_the_answer_holds_after_a_restart(tools: Farm) -> None:
    asked: list[str] = []

    def ask(call: ToolCall, verdict: Verdict) -> bool:
        asked.append(verdict.approval)
        return len(asked) > 1

    setup = [SetupItem(path="a.txt", text="one")]
    toolbox = tools.services.open("person", setup=setup, approve="ask", ask=ask)
    remove = ToolCall(tool="fs", args={"op": "remove", "path": "a.txt"})
    assert toolbox.check(remove).approval == "refused"
    assert toolbox.execute(remove).ok is False
    assert toolbox.check(remove).approval == "granted"
    tools.stop("tools")
    tools.start("tools")
    assert toolbox.execute(remove).ok
    assert asked == ["needed", "needed"] and toolbox.files() == ()
    with pytest.raises(InputError, match="approve"):
        execute_again = ToolCall(tool="fs", args={"op": "remove", "path": "a.txt"})
        toolbox.roll_back(None)
        toolbox.execute(execute_again)


def test_check_and_execution_in_one_message_do_what_the_two_would(tools: Farm) -> None:
    asked: list[str] = []

    def ask(call: ToolCall, verdict: Verdict) -> bool:
        asked.append(verdict.approval)
        time.sleep(0.05)
        return len(asked) > 1

    setup = [SetupItem(path="a.txt", text="one")]
    one = tools.services.open("acting", setup=setup, approve="ask", ask=ask)
    read = one.act(ToolCall(tool="fs", args={"op": "read", "path": "a.txt"}))
    assert read.obs is not None and read.obs.stdout == "one" and read.snapshot is None
    remove = ToolCall(tool="fs", args={"op": "remove", "path": "a.txt"})
    refused = one.act(remove)
    assert refused.obs is None and not refused.verdict.allow and refused.verdict.approval == "refused"
    granted = one.act(remove)
    assert granted.obs is not None and granted.obs.ok and granted.verdict.approval == "granted"
    assert asked == ["needed", "needed"] and one.files() == ()
    assert min(refused.gate_ms, granted.gate_ms) >= 50  # the person's time is the gate's
    assert read.gate_ms > 0
    one.roll_back(granted.snapshot)
    assert one.workspace.read("a.txt") == b"one"

    # Sent again, it acts once, and says what it said: after a restart too.
    stub = wire.tools_pb2_grpc.ToolsStub(tools.services.channels["tools"].grpc)
    append = wire.dump(shell("echo x >> log.txt"))
    request = tools_pb2.ExecuteRequest(session="acting", key="key-00000003", call=append)
    first = stub.Act(request)
    tools.stop("tools")
    tools.start("tools")
    again = stub.Act(request, wait_for_ready=True)
    assert (first.repeated_key, again.repeated_key) == (False, True)
    assert (first.verdict, first.observation, first.snapshot) == (again.verdict, again.observation, again.snapshot)
    assert one.workspace.read("log.txt") == b"x\n"


def test_a_session_is_opened_once_and_again_as_it_was(tools: Farm) -> None:
    setup = [SetupItem(path="a.txt", text="one"), SetupItem(path="d/run.sh", text="true", mode="755")]
    toolbox = tools.services.open("twin", goal="g", setup=setup, approve="auto")
    toolbox.execute(shell("echo two > a.txt"))
    assert tools.services.open("twin", goal="g", setup=setup, approve="auto").workspace.read("a.txt") == b"two\n"
    with pytest.raises(InputError, match="opened otherwise"):
        tools.services.open("twin", goal="other", setup=setup, approve="auto")
    toolbox.close()
    assert toolbox.workspace.read("a.txt") == b"two\n"  # found on disk again
    assert [(c.path, c.kind) for c in toolbox.changes()] == [("a.txt", "changed")]
    assert "-one" in toolbox.changes()[0].diff and "+two" in toolbox.changes()[0].diff
    toolbox.close(remove=True)
    with pytest.raises(InputError, match="no session"):
        toolbox.files()


def test_people_are_shown_every_file_with_its_size(tools: Farm) -> None:
    setup = [SetupItem(path=f"d/{number:03}.txt", text="x" * number) for number in range(90)]
    toolbox = tools.services.open("many", setup=[*setup, SetupItem(path="again", link="d")])
    files, cut = toolbox.listed()
    assert [(one.path, one.size) for one in files] == [(item.path, len(item.text or "")) for item in setup] and not cut


def test_what_a_killed_caller_does_not_know_of_is_taken_back(tools: Farm) -> None:
    toolbox = tools.services.open("resumed", setup=[SetupItem(path="a.txt", text="one")], approve="auto")
    plan = ToolCall(tool="plan", args={"op": "set", "steps": ["x", "y"]})
    steps = [stored(toolbox, call) for call in (plan, shell("echo two > a.txt"))]
    stored(toolbox, shell("echo three > a.txt"))  # its step was never stored
    toolbox.resume(steps)
    assert toolbox.workspace.read("a.txt") == b"two\n"
    toolbox.resume(steps)
    assert toolbox.workspace.read("a.txt") == b"two\n"
    stored(toolbox, shell("echo four > a.txt"))
    assert toolbox.workspace.read("a.txt") == b"four\n"
    toolbox.resume([])
    assert toolbox.workspace.read("a.txt") == b"one"


def stored(toolbox: ToolboxClient, call: ToolCall) -> Step:
    verdict = toolbox.check(call)
    snapshot = toolbox.snapshot() if verdict.state_changing else None
    obs: Observation = toolbox.execute(call)
    assert obs.ok, obs
    text = json.dumps({"tool": call.tool, "args": call.args})
    return Step(action="tool", content=text, verdict=verdict, obs=obs, ok=True, snapshot=snapshot)


def test_a_killed_tools_service_takes_its_processes_along_and_the_call_is_done_once() -> None:
    with farm() as made:
        process = tools_process(made)
        try:
            made.services.channels["tools"].config = made.config.services.client.model_copy(update={"patience_s": 300})
            toolbox = made.services.open("chaos", setup=[SetupItem(path="log.txt", text="")])
            call = shell("echo begun >> log.txt; [ $(wc -l < log.txt) -ge 2 ] || sleep 919.25")
            results: list[Any] = []

            def work() -> None:
                try:
                    results.append(toolbox.execute(call))
                except InfraError as error:
                    results.append(error)

            caller = threading.Thread(target=work)
            caller.start()
            wait_for(lambda: sleepers("919.25"))
            process.send_signal(signal.SIGKILL)
            process.wait()
            wait_for(lambda: not sleepers("919.25"))
            process = tools_process(made)
            # The retry undoes the first line before it runs again, so it sleeps again: exactly one line.
            wait_for(lambda: sleepers("919.25"))
            log = made.base / "runs" / "chaos" / "workspace" / "log.txt"
            assert log.read_text() == "begun\n"
            os.kill(sleepers("919.25")[0], signal.SIGKILL)
            caller.join(120)
            assert results and isinstance(results[0], Observation), results
            assert log.read_text() == "begun\n"
            assert toolbox.files() == ("log.txt",)
        finally:
            process.kill()
            process.wait()


def tools_process(made: Farm) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "services.tools", *made.overrides]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, cwd=ROOT)
    wait_for(made.services.channels["tools"].healthy, 180)
    return process


def test_memory_is_served_beside_the_tools(tools: Farm) -> None:
    memory = tools.services.memory()
    memory.remember("sort files with sort -o", {"run": "r1"})
    memory.remember("sort files with sort -o", {"run": "r1"})
    assert memory.retrieve("sort a file", 3) == []  # in quarantine until somebody promotes it
    calls = [
        ToolCall(tool="plan", args={"op": "set", "steps": ["write hi to a.txt"]}),
        ToolCall(tool="fs", args={"op": "write", "path": "a.txt", "text": "hi"}),
        ToolCall(tool="plan", args={"op": "done", "check": {"kind": "exists", "path": "a.txt"}}),
        ToolCall(tool="finish", args={"status": "done", "summary": "all checks passed"}),
    ]
    assert memory.teach("write hi to a.txt", calls, {"run": "r1"}) == "quarantined"
    with pytest.raises(InputError, match="the note is empty"):
        memory.remember(" ", {})
    with pytest.raises(InputError, match="session"):
        tools.services.open("memory")


def test_a_watcher_that_has_enough_stops_the_service(writing: Farm) -> None:
    told: list[Segment] = []

    def enough(segment: Segment) -> bool:
        told.append(segment)
        return True

    budget = Budget(k=4, temperature=1.0, max_tokens=60, seed=1)
    assert len(writing.services.decoder().propose(LONG, budget, Control(), enough)) == 1
    assert len(told) == 1
