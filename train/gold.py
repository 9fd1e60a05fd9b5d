"""Turning one task's gold solution into the windows and calls a decoder should learn from.

The gold calls run through the very agent loop that serves users, in the sandbox, so that every observation in
the training data is what the tools really say. An episode whose gold fails its own or the judge's checks is an
error: wrong gold must never be taught.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hybrid_agent.agent.loop import Episode
from hybrid_agent.agent.options import LoopOptions
from hybrid_agent.agent.window import call_text
from hybrid_agent.checks import verify, verify_ro_binds
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.packs.store import prepare_workspace
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.types import Check, CheckResult, Record, Step, Task, Window


class GoldError(Exception):
    """A gold solution does not do what its task asks for (a bug in a task family)."""


class Turn(Record):
    """What the decoder saw, and the call it should make."""

    window: Window
    call: str


class DeferredToolbox(LocalToolbox):
    """Believes a trusted gold solution's own checks while it runs, and remembers them.

    Starting the checker is most of the cost of an episode; `replay` evaluates all remembered checks at the end,
    together with the judge's. (Steps of one goal are independent, so a step's check still holds then.)
    """

    def __init__(self, workspace: Path, state_dir: Path, sandbox: Sandbox, allow_destructive: bool) -> None:
        super().__init__(workspace, state_dir, sandbox, approve="auto", allow_destructive=allow_destructive)
        self.remembered: list[Check] = []

    def verify(self, checks: Sequence[Check]) -> list[CheckResult]:
        """Remember the checks; they are due at the end."""
        self.remembered.extend(checks)
        return [CheckResult(ok=True) for _ in checks]

    def due(self) -> list[Check]:
        """Every remembered check, once."""
        return list(dict.fromkeys(self.remembered))


class _Turns:
    """A recorder that keeps (window, call) of every turn in memory."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        self.steps.append(step)


@contextmanager
def replay_sandbox() -> Iterator[Sandbox]:
    """One long-lived jail on a scratch workspace, for the replay of many trusted gold solutions."""
    with tempfile.TemporaryDirectory(prefix="gold-") as root:
        workspace = Path(root) / "workspace"
        workspace.mkdir()
        sandbox = make_sandbox("bubblewrap", workspace, Limits(), session=True, ro_binds=verify_ro_binds())
        try:
            yield sandbox
        finally:
            sandbox.close()


def replay(task: Task, sandbox: Sandbox, *, judged: bool = True) -> list[Turn]:
    """Run a task's gold calls in a cleared workspace; returns one turn per call.

    Not `judged`, only the calls' own outcome is looked at: several times faster where checks run test suites.

    Raises:
        GoldError: the episode did not end as its gold says, or a check fails.
    """
    _clear(sandbox.workspace)
    prepare_workspace(task.setup, sandbox)
    recorder = _Turns()
    with tempfile.TemporaryDirectory(prefix="gold-state-") as state:
        toolbox = DeferredToolbox(sandbox.workspace, Path(state), sandbox, task.destructive)
        episode = Episode(
            task.goal,
            decoder=ScriptedDecoder(task.gold),
            toolbox=toolbox,
            recorder=recorder,
            options=LoopOptions(max_steps=len(task.gold)),
        )
        result = episode.run()
    said = [c for c in task.gold if c.tool == "finish"][-1].args["status"]
    checks = [*toolbox.due(), *task.checks] if judged else []
    results = zip(checks, verify(sandbox, checks), strict=True)
    problems = [f"{c.kind}: {r.detail}" for c, r in results if not r.ok]
    if result.status != said or (said == "done") != result.verified or problems:
        calls = "\n".join(f"  {s.content} -> {s.obs.stdout if s.obs and s.obs.ok else s.obs}" for s in recorder.steps)
        raise GoldError(f"{task.id}: {task.goal!r}: {result.status} {result.summary} {problems}\n{calls}")
    return [
        Turn(window=step.window, call=call_text(call))
        for step, call in zip(recorder.steps, task.gold, strict=True)
        if step.window is not None
    ]


def reworded(turns: Sequence[Turn], original: Task, other: Task) -> list[Turn]:
    """The same episode as another wording of the task would have given it.

    Only the goal and the plan's text differ between wordings; workspace and calls are the same.

    Raises:
        GoldError: the calls are not the task's: turns of an older state of its family would be taught with goals of
            another one.
    """
    if [turn.call for turn in turns[1:]] != [call_text(call) for call in original.gold[1:]]:
        raise GoldError(
            f"{original.id}: the stored calls are not those of the task; delete its episodes and build again"
        )
    steps = tuple(other.gold[0].args["steps"])
    if original.gold[1:] != other.gold[1:]:
        raise GoldError(f"{original.id}: the gold calls depend on the wording")
    out = [Turn(window=turns[0].window.model_copy(update={"goal": other.goal}), call=call_text(other.gold[0]))]
    for turn in turns[1:]:
        window = turn.window.model_copy(update={"goal": other.goal, "steps": steps})
        out.append(Turn(window=window, call=turn.call))
    return out


def _clear(workspace: Path) -> None:
    for entry in workspace.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
