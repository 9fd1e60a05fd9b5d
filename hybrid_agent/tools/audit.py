"""The write audit: what each state-changing call really changed, by comparing the tree before and after."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hybrid_agent.tools.scan import Tree

SHOWN = 200
LOGGED = 2000
What = Literal["created", "removed", "content", "mode", "type", "target"]


@dataclass(frozen=True)
class Change:
    """One path that differs."""

    path: str
    what: What


def changes(before: Tree, after: Tree) -> list[Change]:
    """What differs between two trees, sorted by path; times and owners do not count."""
    found: list[Change] = []
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old is None or new is None:
            found.append(Change(path, "created" if old is None else "removed"))
        elif not old.same(new):
            if old.kind != new.kind:
                what: What = "type"
            elif old.content != new.content:
                what = "target" if old.kind == "link" else "content"
            else:
                what = "mode"
            found.append(Change(path, what))
    return found


def shown_paths(found: Sequence[Change]) -> tuple[str, ...]:
    """The paths for an observation: what is inside of .git folders is summed up as that folder."""
    paths: dict[str, None] = {}
    for change in found:
        parts = change.path.split("/")
        if ".git" in parts:
            parts = parts[: parts.index(".git") + 1]
        paths["/".join(parts)] = None
    return tuple(clean(path) for path in list(paths)[:SHOWN])


def clean(path: str) -> str:
    """A name as valid text on one line."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


class AuditLog:
    """`audit.jsonl`: one line for each state-changing call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        if path.exists():
            self.count = sum(1 for _ in path.open("rb"))

    def add(self, call: str, snapshot: str, ok: bool, found: Sequence[Change]) -> int:
        """Write one line; returns its number.

        Args:
            call: the call's JSON, secrets already cut out.
            snapshot: the snapshot taken before it.
            ok: whether the call succeeded.
            found: what it changed.
        """
        self.count += 1
        line = {
            "n": self.count,
            "time": round(time.time(), 3),
            "call": call,
            "snapshot": snapshot,
            "ok": ok,
            "changes": [[change.what, clean(change.path)] for change in found[:LOGGED]],
            "more": max(0, len(found) - LOGGED),
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return self.count
