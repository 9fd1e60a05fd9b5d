"""The held-out check: nothing may have changed that has nothing to do with the task.

The policy never sees it: neither its own checks (`plan done`) nor the judge's speak of files that the goal does not
name. What the gold solution touches on its way is allowed, and all that lies below.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from hybrid_agent.tools.scan import Tree
from hybrid_agent.types import CallPolicy, ToolCall
from train.rollouts.bench import Bench, GoldTurn

CACHES = ("__pycache__", ".pytest_cache", ".mypy_cache")


def changed(before: Tree, after: Tree) -> set[str]:
    """Paths that are new, gone or different (times do not count; caches of Python neither)."""
    found = set()
    for path in before.keys() | after.keys():
        old, new = before.get(path), after.get(path)
        if (old is None or new is None or not old.same(new)) and not set(PurePosixPath(path).parts) & set(CACHES):
            found.add(path)
    return found


def gold_changes(bench: Bench, turns: Iterable[GoldTurn]) -> set[str]:
    """All that the gold calls of these turns touch."""
    found: set[str] = set()
    for turn in turns:
        if turn.changed:
            found |= changed(bench.tree(turn.before), bench.tree(turn.after))
    return found


def stray(touched: set[str], allowed: set[str]) -> set[str]:
    """What was touched beyond what is allowed. Folders above an allowed path may have to be made; inside a folder
    that the gold makes or removes all is allowed; inside `.git` as well, if the gold touches it."""
    above = {str(parent) for path in allowed for parent in PurePosixPath(path).parents}
    git = any(".git" in PurePosixPath(path).parts for path in allowed)

    def fine(path: str) -> bool:
        pure = PurePosixPath(path)
        return (
            path in allowed
            or path in above
            or any(str(parent) in allowed for parent in pure.parents if str(parent) != ".")
            or (git and ".git" in pure.parts)
        )

    return {path for path in touched if not fine(path)}


def stray_of_call(bench: Bench, turn: GoldTurn, call: ToolCall, timeout_s: float) -> set[str]:
    """Make a call in the state of its window; what it touches beyond what the step's gold calls touch."""
    bench.restore(turn.before)
    bench.toolbox.execute(call.model_copy(update={"policy": CallPolicy(timeout_s=timeout_s)}))
    after = bench.toolbox.snapshot()
    allowed = gold_changes(bench, bench.step_turns(bench.step_of(turn)))
    return stray(changed(bench.tree(turn.before), bench.tree(after)), allowed)
