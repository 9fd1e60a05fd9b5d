"""The loop on real tools in a real sandbox: verification, retries, denials, honest endings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hybrid_agent.agent.loop import Episode
from hybrid_agent.agent.options import EpisodeResult, LoopOptions
from hybrid_agent.agent.select import SelectOptions
from hybrid_agent.checks import verify_ro_binds
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.types import Budget, Control, Score, Segment, Step, Window

DONE = {"tool": "finish", "args": {"status": "done", "summary": "all checks passed"}}


class Script(ScriptedDecoder):
    """Says what it is told, and keeps the budgets it was given."""

    def __init__(self, *calls: str | dict[str, Any]) -> None:
        super().__init__([c if isinstance(c, str) else json.dumps(c) for c in calls])
        self.budgets: list[Budget] = []

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        self.budgets.append(budget)
        return super().propose(window, budget, control, watch)


class Kept:
    """A recorder in memory."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        self.steps.append(step)


def plan(*steps: str) -> dict[str, Any]:
    return {"tool": "plan", "args": {"op": "set", "steps": list(steps)}}


def done(kind: str, **args: str) -> dict[str, Any]:
    return {"tool": "plan", "args": {"op": "done", "check": {"kind": kind, **args}}}


def fs(op: str, **args: str) -> dict[str, Any]:
    return {"tool": "fs", "args": {"op": op, **args}}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    box = make_sandbox("bubblewrap", workspace, Limits(), session=True, ro_binds=verify_ro_binds())
    yield box
    box.close()


def run(
    sandbox: Sandbox, tmp_path: Path, *calls: str | dict[str, Any], **options: Any
) -> tuple[EpisodeResult, Script, Kept]:
    script, kept = Script(*calls), Kept()
    toolbox = LocalToolbox(sandbox.workspace, tmp_path / "state", sandbox, approve="deny")
    limits = LoopOptions(max_steps=len(calls), **options)
    result = Episode("goal", decoder=script, toolbox=toolbox, recorder=kept, options=limits).run()
    return result, script, kept


def test_a_goal_is_done_when_its_check_holds(sandbox: Sandbox, tmp_path: Path) -> None:
    calls = [plan("write a"), fs("write", path="a.txt", text="hello"), done("equals", path="a.txt", text="hello"), DONE]
    result, script, kept = run(sandbox, tmp_path, *calls)
    assert (result.status, result.verified, result.turns) == ("done", True, 4)
    assert [w.phase for w in script.windows] == ["plan", "step", "step", "finish"]
    assert script.windows[-1].notes == ("a.txt",)
    assert kept.steps[1].snapshot is not None and kept.steps[0].snapshot is None


def test_saying_done_without_a_check_is_not_verified(sandbox: Sandbox, tmp_path: Path) -> None:
    result, _, _ = run(sandbox, tmp_path, plan("write a"), fs("write", path="a.txt", text="hello"), DONE)
    assert (result.status, result.verified) == ("unsure", False)
    assert "unverified" in result.summary


def test_a_false_check_does_not_end_the_step(sandbox: Sandbox, tmp_path: Path) -> None:
    calls = [plan("write a"), done("exists", path="a.txt"), DONE]
    result, script, _ = run(sandbox, tmp_path, *calls)
    assert not result.verified and script.windows[-1].phase == "step"
    assert script.windows[-1].exchanges[-1].obs.startswith("error")


def test_a_later_step_may_supersede_an_earlier_check(sandbox: Sandbox, tmp_path: Path) -> None:
    calls = [
        plan("write a", "rename it"),
        fs("write", path="a.txt", text="hello"),
        done("exists", path="a.txt"),
        fs("move", path="a.txt", to="b.txt"),
        done("exists", path="b.txt"),
        DONE,
    ]
    result, _, _ = run(sandbox, tmp_path, *calls)
    assert result.verified


def test_a_check_that_stopped_holding_by_itself_is_found(sandbox: Sandbox, tmp_path: Path) -> None:
    class Forgetful(LocalToolbox):
        """Somebody else removes the file after the step was checked."""

        def files(self) -> tuple[str, ...]:
            found = super().files()
            (sandbox.workspace / "a.txt").unlink(missing_ok=True)
            return found

    toolbox = Forgetful(sandbox.workspace, tmp_path / "state", sandbox, approve="deny")
    script = Script(plan("write a"), fs("write", path="a.txt", text="hello"), done("exists", path="a.txt"), DONE)
    result = Episode("goal", decoder=script, toolbox=toolbox, recorder=Kept()).run()
    assert (result.status, result.verified) == ("unsure", False)
    assert "no longer holds" in result.summary and "a.txt" in result.summary


class Torn(ScriptedDecoder):
    """Looks, then writes the wrong file unless it is asked for more, then says it is done."""

    def __init__(self) -> None:
        super().__init__([])
        self.asked: list[tuple[int, int]] = []

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        made = len(window.exchanges)
        if window.phase != "step":
            return [Segment(text=json.dumps(plan("write a") if window.phase == "plan" else DONE))]
        self.asked.append((made, budget.k))
        if made == 0:
            return [Segment(text=json.dumps(fs("list", path=".")), logprob=-3.0)]
        if made == 1:
            both = [(fs("write", path="wrong.txt", text="x"), -0.4), (fs("write", path="a.txt", text="x"), -1.1)]
            return [Segment(text=json.dumps(call), logprob=lp) for call, lp in both][: budget.k]
        return [Segment(text=json.dumps(done("exists", path="a.txt")), logprob=-0.1)]


def test_a_failed_attempt_is_rolled_back_and_one_call_is_made_otherwise(sandbox: Sandbox, tmp_path: Path) -> None:
    torn, kept = Torn(), Kept()
    toolbox = LocalToolbox(sandbox.workspace, tmp_path / "state", sandbox, approve="deny")
    episode = Episode("goal", decoder=torn, toolbox=toolbox, recorder=kept, options=LoopOptions(attempts=2))
    result = episode.run()
    assert result.verified
    assert (sandbox.workspace / "a.txt").exists() and not (sandbox.workspace / "wrong.txt").exists()
    # The second time only the doubtful place draws more; the look before it is not to blame.
    assert torn.asked == [(0, 1), (1, 1), (2, 1), (0, 1), (1, 1), (1, 3), (2, 1)]
    tools = [json.loads(step.content)["args"].get("path") for step in kept.steps]
    assert tools == [None, ".", "wrong.txt", None, ".", "a.txt", None, None]


def test_an_attempt_that_is_followed_again_blames_the_same_call(sandbox: Sandbox, tmp_path: Path) -> None:
    toolbox = LocalToolbox(sandbox.workspace, tmp_path / "state", sandbox, approve="deny")
    whole, options = Kept(), LoopOptions(attempts=2)
    Episode("goal", decoder=Torn(), toolbox=toolbox, recorder=whole, options=options).run()
    done, rest = whole.steps[:5], whole.steps[5:]  # killed after the second look: the first attempt is rolled back
    toolbox.rollback(toolbox.snapshots.first() or "")
    toolbox.resume(done)
    kept = Kept()
    assert Episode("goal", decoder=Torn(), toolbox=toolbox, recorder=kept, options=options).run(done).verified
    assert [step.content for step in kept.steps] == [step.content for step in rest]


def test_destructive_calls_are_denied_when_nobody_can_approve(sandbox: Sandbox, tmp_path: Path) -> None:
    (sandbox.workspace / "keep.txt").write_text("x")
    result, script, _ = run(sandbox, tmp_path, plan("remove keep"), fs("remove", path="keep.txt"), DONE)
    assert result.denied == 1 and (sandbox.workspace / "keep.txt").exists()
    assert script.windows[-1].exchanges[-1].obs.startswith("denied")


def test_text_that_is_no_call_is_counted_and_answered(sandbox: Sandbox, tmp_path: Path) -> None:
    bad_args = {"tool": "fs", "args": {"op": "fly", "path": "a"}}
    result, script, _ = run(
        sandbox, tmp_path, "hello there", bad_args, {**DONE, "args": {"status": "failed", "summary": ""}}
    )
    assert result.invalid == 2 and result.status == "failed" and not result.verified
    assert script.windows[1].phase == "plan"


def test_the_same_failing_call_twice_is_stuck(sandbox: Sandbox, tmp_path: Path) -> None:
    again = fs("read", path="nowhere.txt")
    result, _, _ = run(sandbox, tmp_path, plan("read"), again, again, DONE)
    assert result.status == "failed" and "stuck" in result.summary and result.turns == 3


def test_running_out_of_turns_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    result, _, _ = run(sandbox, tmp_path, plan("write a"), fs("write", path="a.txt", text="x"))
    assert result.status == "failed" and "gave up after 2 calls" in result.summary


BAD, GOOD = fs("write", path="wrong.txt", text="x"), fs("write", path="a.txt", text="x")


class Doubt:
    """A scorer that thinks nothing of files called wrong.txt."""

    def score(self, window: Window, candidates: Sequence[Segment]) -> Sequence[Score]:
        return [Score(energy=e, p=0.9 - e / 10) for e in (9.0 if "wrong" in c.text else 0.0 for c in candidates)]


class Both(Script):
    """A script whose sampling rounds give the alternative."""

    def __init__(self, alternative: dict[str, Any], *calls: dict[str, Any]) -> None:
        super().__init__(*calls)
        self.alternative = json.dumps(alternative)

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        if budget.temperature:
            return [Segment(text=self.alternative)]
        return super().propose(window, budget, control, watch)


def doubted(sandbox: Sandbox, tmp_path: Path, script: Script, turns: int) -> tuple[EpisodeResult, Kept]:
    kept, toolbox = Kept(), LocalToolbox(sandbox.workspace, tmp_path / "state", sandbox, approve="deny")
    options = LoopOptions(max_steps=turns, select=SelectOptions(veto=0.05))
    episode = Episode("goal", decoder=script, toolbox=toolbox, recorder=kept, scorer=Doubt(), options=options)
    return episode.run(), kept


def test_a_vetoed_call_is_replaced_by_one_that_is_not(sandbox: Sandbox, tmp_path: Path) -> None:
    script = Both(GOOD, plan("write a"), BAD, done("exists", path="a.txt"), DONE)
    result, kept = doubted(sandbox, tmp_path, script, 4)
    assert result.verified and result.vetoed == 1
    assert not (sandbox.workspace / "wrong.txt").exists()
    verdict = kept.steps[1].verdict
    assert verdict is not None and (verdict.rule, verdict.allow) == ("energy_veto", True)
    assert [c.p for c in kept.steps[1].candidates] == [0.0, 0.9]
    assert kept.steps[1].schedule is not None and kept.steps[1].schedule.deliberate


def test_when_all_are_vetoed_one_turn_is_refused_and_the_next_goes_on(sandbox: Sandbox, tmp_path: Path) -> None:
    script = Both(BAD, plan("write"), BAD, BAD, done("exists", path="wrong.txt"), DONE)
    result, kept = doubted(sandbox, tmp_path, script, 5)
    assert result.verified and result.denied == 1
    refused, ran = kept.steps[1], kept.steps[2]
    assert refused.obs is not None and refused.obs.denied == "energy_veto"
    assert refused.snapshot is None and script.windows[2].exchanges[-1].obs.startswith("denied")
    assert ran.ok and (sandbox.workspace / "wrong.txt").exists()


def test_a_veto_never_stands_in_for_the_rules(sandbox: Sandbox, tmp_path: Path) -> None:
    (sandbox.workspace / "keep.txt").write_text("x")
    script = Both(fs("remove", path="keep.txt"), plan("write"), BAD, DONE)
    result, kept = doubted(sandbox, tmp_path, script, 3)
    assert kept.steps[1].verdict is not None and kept.steps[1].verdict.rule == "fs.remove"
    assert (sandbox.workspace / "keep.txt").exists() and result.denied == 1
