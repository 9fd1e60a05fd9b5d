"""What the agent has shown to be true, and whether it still holds at the end.

A later step may legitimately undo an earlier one (create, then rename). So at the end a step's check is
evaluated again unless a later step wrote to the path it speaks of; the write audit says which did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from hybrid_agent.protocols import Toolbox
from hybrid_agent.types import Check

_CHECK: TypeAdapter[Check] = TypeAdapter(Check)


@dataclass
class Evidence:
    """Passed checks of the finished steps, and the paths each step changed."""

    checks: list[Check] = field(default_factory=list)
    changed: list[set[str]] = field(default_factory=list)
    _current: dict[str, None] = field(default_factory=dict)

    def note_changes(self, paths: Sequence[str]) -> None:
        """Remember paths the current step wrote, in order."""
        self._current.update(dict.fromkeys(paths))

    def drop_changes(self) -> None:
        """Forget the current step's writes (it was rolled back)."""
        self._current.clear()

    def close_step(self, check: dict[str, Any]) -> list[str]:
        """Store the step's passed check; returns the paths the step changed."""
        paths = list(self._current)
        self.checks.append(_CHECK.validate_python(check))
        self.changed.append(set(paths))
        self._current.clear()
        return paths

    def recheck(self, toolbox: Toolbox) -> list[str]:
        """Evaluate again every check that no later step superseded; returns what fails now."""
        due = [check for i, check in enumerate(self.checks) if not self._superseded(i)]
        results = toolbox.verify(due) if due else []
        return [
            f"{check.kind} {getattr(check, 'path', getattr(check, 'cmd', ''))}: {result.detail}"
            for check, result in zip(due, results, strict=True)
            if not result.ok
        ]

    def _superseded(self, index: int) -> bool:
        later = set().union(*self.changed[index + 1 :])
        path = getattr(self.checks[index], "path", None)
        if path is None:  # a command may look at anything
            return bool(later)
        path = path.rstrip("/")
        return any(p == path or p.startswith(path + "/") or path.startswith(p.rstrip("/") + "/") for p in later)
