"""Short ways to write gold calls; argument order is the order of the tools' schemas."""

from __future__ import annotations

from typing import Any

Call = dict[str, Any]


def fs(op: str, path: str | None = None, **rest: str) -> Call:
    """One `fs` call; `rest` in schema order (to, mode, text or name)."""
    args = {"op": op} | ({} if path is None else {"path": path}) | rest
    return {"tool": "fs", "args": args}


def shell(cmd: str) -> Call:
    """One shell command."""
    return {"tool": "shell", "args": {"cmd": cmd}}


def edit(path: str, op: str, **rest: str) -> Call:
    """One `editor` call with a single edit."""
    return {"tool": "editor", "args": {"path": path, "edits": [{"op": op} | rest]}}
