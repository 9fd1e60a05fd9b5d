"""The short listing of the workspace that the agent sees at the start of a step."""

from __future__ import annotations

import contextlib
import os

from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.workspace import Workspace
from hybrid_agent.types.window import LISTED, LISTED_DEPTH


def listing(workspace: Workspace, *, depth: int = LISTED_DEPTH, cap: int = LISTED) -> tuple[str, ...]:
    """Sorted relative paths, folders ending in '/', at most `cap` (upper levels first); inside of .git is hidden."""
    found: list[str] = []
    level = [""]
    for _ in range(depth):
        below: list[str] = []
        for folder in level:
            with contextlib.suppress(ToolFailure):
                for name in workspace.names(folder or "."):
                    path = folder + name
                    found.append(path)
                    if name.endswith("/") and name != ".git/":
                        below.append(path)
            if len(found) >= cap:
                return tuple(sorted(_clean(path) for path in found[:cap]))
        level = below
    return tuple(sorted(_clean(path) for path in found))


def _clean(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace("\n", "\\n")
