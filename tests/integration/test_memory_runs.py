"""A skill learned in one run is used in the next of the same shape, and what turns out wrong is unlearned."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cli_process import Call, Cli, call, done, finish, plan

from eval.episode import EpisodeSettings, run_task
from eval.run import identity_of
from hybrid_agent.assemble.agent import AgentOptions, assemble_agent
from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.hybrid import Hybrid, make_hybrid
from hybrid_agent.assemble.memory import open_memory
from hybrid_agent.assemble.parts import find_parts
from hybrid_agent.assemble.presets import preset
from hybrid_agent.assemble.recall import Recall
from hybrid_agent.assemble.rundir import RunDir, create_run
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.errors import InputError
from hybrid_agent.memory.db import FILE
from hybrid_agent.memory.store import ColdMemory
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.types import Budget, EqualsCheck, Score, Segment, Task, ToolCall, Window


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def writes(goal: str, path: str, text: str) -> list[Call]:
    check = done(kind="equals", path=path, text=text)
    return [plan(goal), call("fs", op="write", path=path, text=text), check, finish()]


GOAL = "create a file called notes.txt with the text hello world"
NEXT = "create a file called todo.md with the text see you tomorrow"


def test_the_shipped_agent_learns_a_skill_and_uses_it_without_the_decoder(tmp_path: Path) -> None:
    """Two real runs with the shipped bundle in the sandbox, and one whose files ask for something else."""
    spec = find_parts(parse_decoder("tiny"), preset("auto"))
    hybrid = make_hybrid(spec)
    with open_memory(tmp_path / "memory") as memory:
        first, said = one_run(tmp_path, memory, GOAL, hybrid)
        assert said == ["memory: learned skill 1: create a file called ⟦0⟧ with the text ⟦1⟧"]
        learned = memory.get(1)
        assert learned.reason == "replay: again: verified, and with other values: verified"
        assert learned.provenance["run"] == first.run_id
        second, said = one_run(tmp_path, memory, NEXT, hybrid)
        assert said == ["memory: used skill 1, strength now 0.70"]
        trace = read_trace(second.trace)
        assert trace.result == "success"
        assert [step.candidates[0].expert for step in trace.steps] == ["skill:1"] * 4
        assert sum(step.effort.tokens for step in trace.steps if step.effort) == 0  # the decoder wrote nothing
        assert (Path(second.info().workspace) / "todo.md").read_text().strip() == "see you tomorrow"
        other, _ = one_run(tmp_path, memory, "rename a.txt to b.txt", hybrid, {"a.txt": "x\n"})
        assert not any(c.expert and "skill" in c.expert for s in read_trace(other.trace).steps for c in s.candidates)


def test_run_with_memory_learns_uses_and_forgets_what_is_rolled_back(cli: Cli) -> None:
    ran = cli("run", GOAL, "--memory", "--decoder", cli.script(*writes(GOAL, "notes.txt", "hello world")))
    assert ran.returncode == 0 and "memory: learned skill 1" in ran.stdout, ran
    # A decoder that only gives up: what happens is the skill's doing.
    used = cli("run", NEXT, "--memory", "--json", "--decoder", cli.script())
    body = json.loads(used.stdout)
    assert used.returncode == 0 and body["success"], used
    assert (Path(body["workspace"]) / "todo.md").read_text().strip() == "see you tomorrow"
    assert cli("run", NEXT, "--decoder", cli.script()).returncode == 1  # without --memory nothing is remembered
    listed = json.loads(cli("memory", "list", "--kind", "skill", "--json").stdout)
    assert [(entry["status"], entry["wins"]) for entry in listed] == [("promoted", 1)]
    shown = cli("memory", "show", "1").stdout
    assert "create a file called ⟦0⟧ with the text ⟦1⟧" in shown and "version 4" in shown
    first = min(path.name for path in cli.runs.iterdir() if path.name != "memory")
    back = cli("rollback", first)
    assert "memory: skill 1 is archived" in back.stdout, back
    assert cli("run", NEXT, "--memory", "--decoder", cli.script()).returncode == 1


def test_a_skill_meets_another_workspace_and_the_decoder_takes_over(tmp_path: Path) -> None:
    goal = "rename a.txt to b.txt"
    moves = [plan(goal), call("fs", op="move", path="a.txt", to="b.txt"), done(kind="exists", path="b.txt"), finish()]
    rescue = [call("fs", op="write", path="b.txt", text="new"), done(kind="exists", path="b.txt"), finish()]
    with open_memory(tmp_path / "memory") as memory:
        one_run(tmp_path, memory, goal, Hybrid(scripted(moves)), {"a.txt": "x"})
        assert memory.get(1).status == "promoted"
        run, said = one_run(tmp_path, memory, "rename c.txt to d.txt", Hybrid(scripted(renamed(rescue, "d.txt"))))
        assert read_trace(run.trace).result == "success"
        assert said[0] == "memory: used skill 1, strength now 0.30"
        assert Recall(memory, goal).skill is None  # no longer sure enough
        one_run(tmp_path, memory, goal, Hybrid(scripted(moves)), {"a.txt": "x"})
        assert memory.get(1).strength > 0.4 and Recall(memory, goal).skill is not None  # it proved itself again


def test_the_scorer_may_prefer_the_decoders_call(tmp_path: Path) -> None:
    """The skill's call is a candidate among others: with several drawn, the least energy wins."""

    class AgainstHello:
        def score(self, window: Window, candidates: list[Segment]) -> list[Score]:
            return [Score(energy=5.0 if "hello" in each.text else 1.0, p=0.5) for each in candidates]

    with open_memory(tmp_path / "memory") as memory:
        one_run(tmp_path, memory, GOAL, Hybrid(scripted(writes(GOAL, "notes.txt", "hello world"))))
        better = writes(GOAL, "notes.txt", "HELLO")
        hybrid = Hybrid(scripted(better), scorer=AgainstHello(), budget=Budget(k=2))
        run, _ = one_run(tmp_path, memory, GOAL, hybrid)
        acted = read_trace(run.trace).steps[1]
        assert {each.expert for each in acted.candidates} == {"skill:1", None}
        assert json.loads(acted.content)["args"]["text"] == "HELLO"


def test_a_success_that_only_fits_its_own_values_is_kept_for_its_own_goal(tmp_path: Path) -> None:
    """The decoder has written a digest of the value: with another value the replay fails."""
    goal = "create sum.txt with the checksum of v_1"
    digest = hashlib.sha256(b"v_1").hexdigest()[:16]
    check = done(kind="command", cmd="printf %s v_1 | sha256sum | cut -c1-16 | cmp - sum.txt")
    cmd = f"echo {digest} > sum.txt"
    calls = [plan(goal), call("shell", cmd=cmd), check, finish()]
    with open_memory(tmp_path / "memory") as memory:
        run, said = one_run(tmp_path, memory, goal, Hybrid(scripted(calls)))
        assert read_trace(run.trace).result == "success", read_trace(run.trace)
        states = {entry.status: entry for entry in memory.entries(kind="skill")}
        assert set(states) == {"rejected", "promoted"}, said
        assert states["promoted"].skill is not None and states["promoted"].skill.slots == ()
        assert Recall(memory, goal).skill is not None
        assert Recall(memory, goal.replace("v_1", "v_2")).skill is None


@pytest.mark.parametrize("command", [["list"], ["search", "x"]])
def test_looking_where_nothing_was_learned(cli: Cli, command: list[str]) -> None:
    done_ = cli("memory", *command)
    assert done_.returncode == 2 and "there is no memory" in done_.stderr
    assert not cli.runs.exists()


def test_a_note_by_hand_waits_for_approval_and_comes_back(cli: Cli) -> None:
    assert "note 1 is quarantined" in cli("memory", "teach", "--note", "pytest wants PYTHONPATH=src").stdout
    assert "note 1 is promoted: approved by" in cli("memory", "approve", "1").stdout
    assert "pytest wants PYTHONPATH=src" in cli("memory", "search", "call pytest").stdout
    assert "note 1 is archived" in cli("memory", "archive", "1", "--why", "old").stdout
    assert "note 1 is promoted" in cli("memory", "rollback", "1").stdout
    counted = json.loads(cli("memory", "stats", "--json").stdout)
    assert counted["entries"]["note"] == {"promoted": 1}
    for wrong in (["approve", "9"], ["teach"]):
        answer = cli("memory", *wrong)
        assert answer.returncode == 2 and "Traceback" not in answer.stderr, answer


def scripted(calls: list[Call]) -> ScriptedDecoder:
    return ScriptedDecoder([json.dumps(each, separators=(",", ":")) for each in calls])


def renamed(calls: list[Call], path: str) -> list[Call]:
    return json.loads(json.dumps(calls).replace("b.txt", path))  # type: ignore[no-any-return]


def one_run(
    base: Path, memory: ColdMemory, goal: str, hybrid: Hybrid, files: dict[str, str] | None = None
) -> tuple[RunDir, list[str]]:
    info: dict[str, Any] = {"decoder": "test", "model": "", "sandbox": "bubblewrap", "approve": "deny", "seed": 0}
    run = create_run(base / "runs", goal=goal, workspace=None, **info)
    workspace = Path(run.info().workspace)
    for name, text in (files or {}).items():
        (workspace / name).write_text(text)
    recall = Recall(memory, goal)
    with assemble_agent(
        run, hybrid=recall.into(hybrid), workspace=workspace, options=AgentOptions(max_steps=12)
    ) as agent:
        result = agent.run(goal)
    return run, recall.settle(run, result)


def test_evaluation_uses_a_memory_and_never_writes_to_it(tmp_path: Path) -> None:
    """Off by default; with `memory=FOLDER` the skills are used, and the folder's database stays as it was."""
    goal = "create a file called notes.txt with the text hello world"
    calls = tuple(ToolCall.model_validate(each) for each in writes(goal, "notes.txt", "hello world"))
    check = EqualsCheck(path="notes.txt", text="hello world")
    names = {"pack": "os", "family": "f", "template": "t", "intents": ("i",), "split": "val"}
    task = Task.model_validate({"id": "t1", "goal": goal, "checks": (check,), "gold": calls, **names})
    with open_memory(tmp_path / "memory") as memory:
        memory.tested(memory.teach(goal, calls, {}).id, True, "verified")
    before = (tmp_path / "memory" / FILE).read_bytes()
    gives_up = Hybrid(scripted([]))
    assert not run_task(task, gives_up, EpisodeSettings()).success
    assert run_task(task, gives_up, EpisodeSettings(memory=tmp_path / "memory")).success
    assert (tmp_path / "memory" / FILE).read_bytes() == before
    assert "memory" not in identity_of(load_config("eval", ["decoder=gold"], EvalConfig))
    with pytest.raises(InputError, match="there is no memory"):
        identity_of(load_config("eval", ["decoder=gold", f"memory={tmp_path}"], EvalConfig))
