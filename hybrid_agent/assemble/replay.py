"""Replay tests: does a skill still work, from the same start, in a sandbox of its own, also with other values?"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.assemble.agent import AgentOptions, assemble_agent
from hybrid_agent.assemble.hybrid import Hybrid
from hybrid_agent.assemble.rundir import RunDir, create_run
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.errors import InfraError, InputError
from hybrid_agent.memory.binding import bind
from hybrid_agent.memory.records import Skill, Slot
from hybrid_agent.tools.redact import MARK
from hybrid_agent.tools.snapshot import SnapshotStore
from hybrid_agent.types import ToolCall, Trace

MAX_FILES, MAX_BYTES = 5000, 64 << 20
MAX_RENAMED = 1 << 20
LINE = 200


@dataclass(frozen=True)
class Lesson:
    """What a verified episode did: its goal, its calls, what was visible before each of them, and a note on it."""

    goal: str
    calls: tuple[ToolCall, ...]
    seen: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Replayed:
    """How a replay ended."""

    ok: bool
    detail: str


def lesson_of(trace: Trace) -> Lesson:
    """The lesson of a trace.

    Raises:
        InputError: something went wrong on the way, or secrets were cut out, so that its calls are no recipe.
    """
    if any(not step.ok or step.kept for step in trace.steps):
        raise InputError("it took detours", field="trace", fix="keep a note instead")
    if MARK in trace.goal or any(MARK in step.content for step in trace.steps):
        raise InputError("secrets were cut out of it", field="trace", fix="leave secrets out of goals")
    calls = tuple(ToolCall.model_validate_json(step.content) for step in trace.steps)
    seen = tuple(
        "\n".join([*step.window.files, *(each.obs for each in step.window.exchanges)]) if step.window else ""
        for step in trace.steps
    )
    did = "; ".join(step.content[:LINE] for step in trace.steps[1:-1])
    return Lesson(trace.goal, calls, seen, f"{trace.goal}\nworked: {did}")


def replay(run: RunDir, lesson: Lesson, skill: Skill | None) -> Replayed:
    """Do it again from the run's first snapshot, in a folder of its own, without anybody to approve anything.

    Args:
        run: holds the snapshot.
        lesson: what was done.
        skill: None: the same calls; else the skill's calls for the goal with other values, on files renamed likewise.

    Raises:
        InputError: the run saved no snapshot, its start is too large, or the sandbox is not there.
        InfraError: the sandbox failed.
        SandboxError: likewise.
    """
    with tempfile.TemporaryDirectory(prefix="hybrid-agent-replay-") as name:
        folder = Path(name)
        workspace = folder / "workspace"
        workspace.mkdir()
        _restore(run, workspace)
        goal, calls = lesson.goal, lesson.calls
        if skill is not None:
            others = {slot.example: other_value(slot) for slot in skill.slots}
            if (workspace / ".git").exists():
                return Replayed(False, "with other values: not tried in a git repository")
            _rename(workspace, others)
            goal = swapped(goal, others)
            bound = bind(skill, goal)
            if bound is None:
                return Replayed(False, f"with other values: does not fit {goal[:LINE]!r}")
            if not bound.whole:
                return Replayed(False, "with other values: some calls depend on what is seen")
            calls = tuple(bound.script())
        how = "with other values" if skill is not None else "again"
        kept = create_run(
            folder / "runs",
            goal=goal,
            workspace=workspace,
            decoder="script",
            model="",
            sandbox=run.info().sandbox,
            approve="deny",
            seed=0,
        )
        options = AgentOptions(max_steps=len(calls) + 1)
        hybrid = Hybrid(ScriptedDecoder(calls))
        sandbox = kept.info().sandbox
        with assemble_agent(kept, hybrid=hybrid, workspace=workspace, sandbox=sandbox, options=options) as agent:
            result = agent.run(goal)
        if result.infra:
            raise InfraError(result.summary)
        clean = result.verified and result.turns == len(calls) and not result.denied and not result.invalid
        return Replayed(clean, f"{how}: {'verified' if clean else result.summary[:LINE] or 'not verified'}")


def other_value(slot: Slot) -> str:
    """Another value of the same kind. Numbers stay: too many of them mean something (modes, sizes)."""
    if slot.kind == "number":
        return slot.example
    return re.sub(r"[A-Za-z_]{2,}", _turned, slot.example)


def swapped(text: str, others: Mapping[str, str]) -> str:
    """A text with every value replaced, the longest first, none of them twice."""
    if not others:
        return text
    every = "|".join(re.escape(value) for value in sorted(others, key=len, reverse=True))
    return re.sub(rf"(?<![A-Za-z0-9_])(?:{every})(?![A-Za-z0-9_])", lambda found: others[found[0]], text)


def _turned(found: re.Match[str]) -> str:
    """Letters turned around; the kind of a file is no name."""
    word, before = found[0], found.string[: found.start()]
    rest = found.string[found.end() :]
    if before.endswith(".") and len(before) > 1 and not before[:-1].endswith("/") and "." not in rest:
        return word
    turned = word[::-1]
    return turned if turned.lower() != word.lower() else word + "x"


def _restore(run: RunDir, workspace: Path) -> None:
    if not run.state.is_dir():
        raise InputError("it saved nothing", where=run.run_id)
    store = SnapshotStore(run.state, workspace)
    first = store.first()
    if first is None:
        raise InputError("it changed nothing, so there is no start to go back to", where=run.run_id)
    tree = store.tree(first)
    size = sum(entry.stamp[2] for entry in tree.values() if entry.kind == "file")
    if len(tree) > MAX_FILES or size > MAX_BYTES:
        raise InputError(f"its workspace is too large to try it again ({len(tree)} files)", where=run.run_id)
    store.restore(first)


def _rename(workspace: Path, others: Mapping[str, str]) -> None:
    """Names and texts of the files as they would be, had the goal named these values."""
    for root, folders, files in os.walk(workspace, topdown=False):
        for name in [*files, *folders]:
            path = Path(root) / name
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_RENAMED:
                _rewrite(path, others)
            inside = path.relative_to(workspace).as_posix()
            new = others.get(inside, swapped(name, others)).rpartition("/")[2]
            if new != name:
                path.rename(path.with_name(new))


def _rewrite(path: Path, others: Mapping[str, str]) -> None:
    try:
        text = path.read_bytes().decode()
    except (UnicodeDecodeError, OSError):
        return
    new = swapped(text, others)
    if new != text:
        mode = path.stat().st_mode
        path.chmod(mode | 0o200)
        path.write_bytes(new.encode())
        path.chmod(mode & 0o7777)
