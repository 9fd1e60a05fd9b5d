"""A step that passes its own check and leaves out what it names: another way is tried, and the better one stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hybrid_agent.agent.loop import Episode
from hybrid_agent.agent.options import EpisodeResult, LoopOptions
from hybrid_agent.checks import verify_ro_binds
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.types import Budget, Control, Segment, Step, Window

GOAL = "copy a.txt to b.txt and move c.md to d.md"
FIRST, SECOND = "copy a.txt to b.txt", "move c.md to d.md"
COPY = {"tool": "fs", "args": {"op": "copy", "path": "a.txt", "to": "b.txt"}}
MOVE = {"tool": "fs", "args": {"op": "move", "path": "c.md", "to": "d.md"}}
Answer = dict[str, Any]


def plan(*steps: str) -> Answer:
    return {"tool": "plan", "args": {"op": "set", "steps": list(steps)}}


def done(path: str) -> Answer:
    return {"tool": "plan", "args": {"op": "done", "check": {"kind": "exists", "path": path}}}


class Reader:
    """Answers by what it sees: several answers, the surest first, of which it gives as many as are asked for."""

    def __init__(self, plans: Sequence[Answer], calls: dict[str, Sequence[Answer]]) -> None:
        self.plans, self.calls = plans, calls
        self.windows: list[Window] = []

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        self.windows.append(window)
        if window.phase == "plan":
            answers = self.plans
        elif window.phase == "finish":
            answers = [{"tool": "finish", "args": {"status": "done", "summary": "all checks passed"}}]
        else:
            ways = self.calls[window.steps[window.index]]
            made = [json.loads(exchange.call) for exchange in window.exchanges]
            answers = [done(made[-1]["args"].get("to", "a.txt"))] if made else ways
        told = [
            Segment(text=json.dumps(a, separators=(",", ":")), logprob=-0.1 * (1 + i)) for i, a in enumerate(answers)
        ]
        return told[: budget.k]


class Stored:
    """A recorder in memory."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        self.steps.append(step)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "a.txt").write_text("one")
    (workspace / "c.md").write_text("two")
    made = make_sandbox("bubblewrap", workspace, Limits(), ro_binds=verify_ro_binds())
    yield made
    made.close()


def run(
    sandbox: Sandbox, state: Path, reader: Reader, goal: str = GOAL, attempts: int = 2
) -> tuple[EpisodeResult, list[Step], LocalToolbox]:
    toolbox = LocalToolbox(sandbox.workspace, state, sandbox, approve="auto")
    stored, options = Stored(), LoopOptions(attempts=attempts)
    result = Episode(goal, decoder=reader, toolbox=toolbox, recorder=stored, options=options).run()
    return result, stored.steps, toolbox


def files(sandbox: Sandbox) -> list[str]:
    return sorted(path.name for path in sandbox.workspace.iterdir())


def misread() -> Reader:
    """Takes two steps for one, does the first, and knows better when that plan is not to be made again."""
    return Reader([plan(GOAL), plan(FIRST, SECOND)], {GOAL: [COPY], FIRST: [COPY], SECOND: [MOVE]})


def test_a_plan_that_joins_two_steps_is_made_anew(sandbox: Sandbox, tmp_path: Path) -> None:
    result, steps, toolbox = run(sandbox, tmp_path / "state", misread())
    assert result.verified and files(sandbox) == ["a.txt", "b.txt", "d.md"]
    assert [step.window.steps for step in steps if step.kept and step.window] == [(GOAL,)]
    assert toolbox.plan.steps == (FIRST, SECOND) and toolbox.plan.index == 2


def test_without_a_second_attempt_nothing_is_doubted(sandbox: Sandbox, tmp_path: Path) -> None:
    result, steps, _ = run(sandbox, tmp_path / "state", misread(), attempts=1)
    assert result.verified and files(sandbox) == ["a.txt", "b.txt", "c.md"]
    assert not any(step.kept for step in steps)


def test_where_nothing_better_is_found_the_first_way_stands(sandbox: Sandbox, tmp_path: Path) -> None:
    worse = {"tool": "fs", "args": {"op": "copy", "path": "c.md", "to": "e.txt"}}
    goal = f"{GOAL}; {FIRST} again"
    reader = Reader(
        [plan(GOAL, f"{FIRST} again"), plan(goal)],
        {
            GOAL: [COPY, worse],
            f"{FIRST} again": [{"tool": "fs", "args": {"op": "read", "path": "b.txt"}}],
            goal: [worse],
        },
    )
    reader.calls[f"{FIRST} again"] = [COPY]
    result, steps, toolbox = run(sandbox, tmp_path / "state", reader, goal)
    assert files(sandbox) == ["a.txt", "b.txt", "c.md"]  # nothing of the other ways is left
    assert result.verified and sum(step.kept is not None for step in steps) == 1
    last = [step.window for step in steps if step.window and step.window.phase == "step"][-1]
    assert last.steps == (GOAL, f"{FIRST} again") and last.index == 1
    assert toolbox.plan.steps == (f"{FIRST} again",) and toolbox.plan.index == 1  # what was left to do, done


def test_a_call_that_mentions_more_stands(sandbox: Sandbox, tmp_path: Path) -> None:
    half = {"tool": "fs", "args": {"op": "copy", "path": "a.txt", "to": "d.md"}}
    result, _, _ = run(sandbox, tmp_path / "state", Reader([plan(SECOND)], {SECOND: [half, MOVE]}), SECOND)
    assert result.verified and files(sandbox) == ["a.txt", "d.md"]
    assert (sandbox.workspace / "d.md").read_text() == "two"


def test_the_only_way_that_is_known_is_gone_once(sandbox: Sandbox, tmp_path: Path) -> None:
    half = {"tool": "fs", "args": {"op": "copy", "path": "a.txt", "to": "d.md"}}
    result, steps, _ = run(sandbox, tmp_path / "state", Reader([plan(SECOND)], {SECOND: [half]}), SECOND)
    assert result.verified and files(sandbox) == ["a.txt", "c.md", "d.md"]
    tried = [step for step in steps if json.loads(step.content) == half]
    assert len(tried) == 2  # once more it is all that is offered: then no further looks are spent on it


@pytest.mark.parametrize("goal", [f"{FIRST}, or to e.txt if there is one", "copy a.txt to b.txt"])
def test_second_choices_and_complete_steps_are_not_doubted(sandbox: Sandbox, tmp_path: Path, goal: str) -> None:
    result, steps, _ = run(sandbox, tmp_path / "state", Reader([plan(goal)], {goal: [COPY]}), goal)
    assert result.verified and len(steps) == 4 and not any(step.kept for step in steps)


def test_there_must_be_turns_for_another_way(sandbox: Sandbox, tmp_path: Path) -> None:
    toolbox = LocalToolbox(sandbox.workspace, tmp_path / "state", sandbox, approve="auto")
    stored, options = Stored(), LoopOptions(attempts=2, max_steps=5)
    assert Episode(GOAL, decoder=misread(), toolbox=toolbox, recorder=stored, options=options).run().verified
    assert len(stored.steps) == 4 and files(sandbox) == ["a.txt", "b.txt", "c.md"]


@pytest.mark.parametrize("cut", [3, 4, 6])
def test_an_episode_killed_on_the_way_goes_on_alike(sandbox: Sandbox, tmp_path: Path, cut: int) -> None:
    _, whole, toolbox = run(sandbox, tmp_path / "state", misread())
    toolbox.rollback(toolbox.snapshots.first() or "")
    for step in whole[:cut]:  # the workspace as the killed process left it
        call = json.loads(step.content)
        if call["tool"] == "fs" and step.window and (cut == 3 or step.window.steps != (GOAL,)):
            assert toolbox.execute(toolbox_call(call)).ok
    toolbox.resume(whole[:cut])
    stored, options = Stored(), LoopOptions(attempts=2)
    episode = Episode(GOAL, decoder=misread(), toolbox=toolbox, recorder=stored, options=options)
    assert episode.run(whole[:cut]).verified
    assert [step.content for step in stored.steps] == [step.content for step in whole[cut:]]
    assert files(sandbox) == ["a.txt", "b.txt", "d.md"] and toolbox.plan.index == 2


def toolbox_call(call: Answer) -> Any:
    from hybrid_agent.types import ToolCall

    return ToolCall.model_validate(call)
