"""One task on the bench: its gold solution replayed with every state kept, to try other calls at any turn.

A candidate is tried in the state its window shows, and the workspace is put back afterwards. Whether a state is right
is told by checks; answers are remembered by state, since most wrong calls leave one of few states behind.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from hybrid_agent.agent.loop import Episode
from hybrid_agent.agent.options import LoopOptions
from hybrid_agent.agent.window import call_text
from hybrid_agent.checks import verify
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.packs.store import prepare_workspace
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.scan import Tree
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.types import Check, CheckResult, Observation, Step, Task, ToolCall, Verdict, Window
from train.gold import GoldError

CHECK: TypeAdapter[Check] = TypeAdapter(Check)


@dataclass(frozen=True)
class GoldTurn:
    """One call of the gold solution, with the states around it (snapshot ids) and whether they differ."""

    number: int
    window: Window
    call: ToolCall
    text: str
    obs: Observation
    before: str
    after: str
    changed: bool

    @property
    def kind(self) -> str:
        """`plan`, `done`, `finish`, `ask` or `act`."""
        if self.call.tool == "plan":
            return "plan" if self.call.args["op"] == "set" else "done"
        return self.call.tool if self.call.tool in ("finish", "ask") else "act"


class BenchToolbox(LocalToolbox):
    """Grants every destructive call (the bench puts all back), and while it records, believes the gold's own checks."""

    def __init__(self, workspace: Path, state_dir: Path, sandbox: Sandbox) -> None:
        super().__init__(workspace, state_dir, sandbox, approve="auto")
        self.recording = True
        self.before: list[str] = []

    def check(self, call: ToolCall) -> Verdict:
        """The gate's verdict; while recording, the state before the call is kept."""
        if self.recording:
            self.before.append(self.snapshots.take())
        return super().check(call)

    def verify(self, checks: Sequence[Check]) -> list[CheckResult]:
        """While recording all checks hold: they are evaluated once the episode is over."""
        return [CheckResult(ok=True) for _ in checks] if self.recording else super().verify(checks)


class _Steps:
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        self.steps.append(step)


class Bench:
    """A task whose gold solution was replayed and verified; made by `on_bench`.

    Attributes:
        turns: the gold calls in order.
        required: for each plan step, the judge's checks that hold at its end (what a finished step must not break).
    """

    def __init__(self, task: Task, sandbox: Sandbox, toolbox: BenchToolbox) -> None:
        self.task, self.sandbox, self.toolbox = task, sandbox, toolbox
        self._answers: dict[tuple[str, str], CheckResult] = {}
        self._keys: dict[str, str] = {}
        self._trees: dict[str, Tree] = {}
        self.turns = self._replay()
        toolbox.recording = False
        self.required = self._requirements()

    # --- states
    def restore(self, snapshot: str) -> None:
        """Put the workspace into a saved state."""
        self.toolbox.rollback(snapshot)

    def tree(self, snapshot: str) -> Tree:
        """What a saved state holds."""
        if snapshot not in self._trees:
            self._trees[snapshot] = self.toolbox.snapshots.tree(snapshot)
        return self._trees[snapshot]

    def key(self, snapshot: str) -> str:
        """Equal keys: equal content, modes and links (times and owners do not count)."""
        if snapshot not in self._keys:
            rows = ((path, e.kind, e.mode, e.content) for path, e in sorted(self.tree(snapshot).items()))
            self._keys[snapshot] = hashlib.sha256(json.dumps(list(rows)).encode()).hexdigest()
        return self._keys[snapshot]

    def holds(self, snapshot: str, checks: Iterable[Check]) -> list[CheckResult]:
        """Evaluate checks in a saved state; remembered by state. Leaves the workspace in some other state."""
        checks = list(checks)
        state = self.key(snapshot)
        names = [(state, check.model_dump_json()) for check in checks]
        # Checks that only look come first: a command may change what they look at.
        due = {n: c for n, c in zip(names, checks, strict=True) if n not in self._answers}
        looking = {n: c for n, c in due.items() if c.kind != "command"}
        commands = {n: c for n, c in due.items() if c.kind == "command"}
        if due:
            self.restore(snapshot)
            order = {**looking, **commands}
            results = verify(self.sandbox, list(order.values()))
            self._answers.update(zip(order, results, strict=True))
        return [self._answers[n] for n in names]

    def finished(self, snapshot: str, step: int) -> str | None:
        """None if a plan step is done in a saved state and nothing is broken; else what is wrong."""
        checks = [self.done_check(step), *self.required[step]]
        for check, result in zip(checks, self.holds(snapshot, checks), strict=True):
            if not result.ok:
                return f"{check.kind}: {result.detail}"[:300]
        return None

    # --- the gold solution
    def step_of(self, turn: GoldTurn) -> int:
        """Index of the plan step that a turn works on."""
        return turn.window.index

    def step_turns(self, step: int) -> list[GoldTurn]:
        """The turns of a plan step, its `plan done` last."""
        return [t for t in self.turns if t.window.phase == "step" and t.window.index == step]

    def done_check(self, step: int) -> Check:
        """The gold's own check of a step."""
        return CHECK.validate_python(self.step_turns(step)[-1].call.args["check"])

    def changed_by_gold(self) -> set[str]:
        """Paths that the gold solution removes or writes over."""
        found: set[str] = set()
        for turn in self.turns:
            found |= destroyed(self.tree(turn.before), self.tree(turn.after))
        return found

    def _replay(self) -> list[GoldTurn]:
        task, toolbox, recorder = self.task, self.toolbox, _Steps()
        episode = Episode(
            task.goal,
            decoder=ScriptedDecoder(task.gold),
            toolbox=toolbox,
            recorder=recorder,
            options=LoopOptions(max_steps=len(task.gold)),
        )
        result = episode.run()
        said = task.gold[-1].args.get("status")
        if result.status != said or not len(recorder.steps) == len(toolbox.before) == len(task.gold):
            raise GoldError(f"{task.id}: ended {result.status!r} after {len(recorder.steps)} calls: {result.summary}")
        states = [*toolbox.before, toolbox.snapshot()]
        turns = []
        for number, (step, call) in enumerate(zip(recorder.steps, task.gold, strict=True)):
            assert step.window is not None and step.obs is not None
            text = call_text(call)
            before, after = states[number], states[number + 1]
            changed = self.key(before) != self.key(after)
            turns.append(GoldTurn(number, step.window, call, text, step.obs, before, after, changed))
        return turns

    def _requirements(self) -> list[list[Check]]:
        """Evaluate the gold's checks and the judge's at the end of each step.

        Raises:
            GoldError: a check of the gold fails, or one of the judge's at the end of the episode.
        """
        task, required = self.task, []
        ends = [turn for turn in self.turns if turn.kind == "done"]
        for number, turn in enumerate(ends):
            own, *judged = self.holds(turn.before, [self.done_check(number), *task.checks])
            if not own.ok:
                raise GoldError(f"{task.id}: the gold's check of step {number + 1} fails: {own.detail}")
            required.append([c for c, r in zip(task.checks, judged, strict=True) if r.ok])
        last = self.holds(self.turns[-1].after, task.checks)
        if wrong := [r.detail for r in last if not r.ok]:
            raise GoldError(f"{task.id}: {wrong[0]}")
        return required


def destroyed(before: Tree, after: Tree) -> set[str]:
    """Files, folders and links that are gone or written over."""
    found = set()
    for path, old in before.items():
        new = after.get(path)
        if new is None or new.kind != old.kind or (old.kind != "dir" and new.content != old.content):
            found.add(path)
    return found


@contextmanager
def on_bench(task: Task, sandbox: Sandbox, state_root: Path | None = None) -> Iterator[Bench]:
    """Clear the sandbox's workspace, lay the task out and replay its gold solution.

    Raises:
        GoldError: the gold solution does not do what it says.
        SandboxError: the machinery failed.
    """
    clear(sandbox.workspace)
    prepare_workspace(task.setup, sandbox)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=state_root) as state:
        toolbox = BenchToolbox(sandbox.workspace, Path(state), sandbox)
        try:
            yield Bench(task, sandbox, toolbox)
        finally:
            toolbox.close()


def clear(workspace: Path) -> None:
    """Empty a folder, closed folders in it included."""
    workspace.chmod(0o755)
    for entry in workspace.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _unlock(entry)
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _unlock(folder: Path) -> None:
    folder.chmod(0o700)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _unlock(entry)
