"""Snapshots of the workspace, kept outside of it and readable by a later process.

A snapshot is one JSON file that lists the tree; file contents are stored once each, in one file beside the lists.
A list gets its name only when it and the contents are complete, so a killed process leaves nothing half-written.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.tools import restore as restoring
from hybrid_agent.tools.objects import Objects
from hybrid_agent.tools.scan import Entry, Tree, scan

FORMAT = 1
MAX_BYTES = 1 << 30


class SnapshotStore:
    """The snapshots of one workspace.

    Args:
        state_dir: folder of the run; `snapshots/` and `objects.bin` are made in it. Must not be in the workspace.
        workspace: the folder that is saved.
        max_bytes: a workspace with more content than this is refused.
    """

    def __init__(self, state_dir: Path, workspace: Path, *, max_bytes: int = MAX_BYTES) -> None:
        state, root = state_dir.resolve(), workspace.resolve()
        if state == root or root in state.parents:
            raise InputError(
                "the state folder lies in the workspace", field="state_dir", fix="a folder outside the workspace"
            )
        self.workspace = workspace
        self._folder = state / "snapshots"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.objects = Objects(state / "objects.bin", max_bytes)
        self._last: tuple[str, Tree] | None = None
        known = self.list()
        if known:
            with contextlib.suppress(SandboxError):
                tree = self.tree(known[-1])
                self.objects.load({}, ((e.stamp, e.content) for e in tree.values() if e.kind == "file"))

    def observe(self) -> Tree:
        """The workspace as it is now; new contents are stored on the way.

        Raises:
            ToolFailure: too large or too deep to save.
        """
        fd = self._open()
        try:
            self.objects.begin()
            return scan(fd, self.objects)
        finally:
            os.close(fd)

    def take(self) -> str:
        """Save the workspace; returns the id (of the last snapshot, if nothing changed since)."""
        tree = self.observe()
        if self._last is not None and self._last[1] == tree:
            return self._last[0]
        known = self.list()
        number = int(known[-1]) + 1 if known else 1
        rows = {
            path: [e.kind, e.mode, e.uid, e.gid, e.mtime_ns, e.content, e.group, e.stamp] for path, e in tree.items()
        }
        fresh = self._folder / f"tmp-{secrets.token_hex(8)}"
        spots = {e.content: self.objects.spot(e.content) for e in tree.values() if e.kind == "file"}
        fresh.write_text(json.dumps({"format": FORMAT, "entries": rows, "objects": spots}))
        snapshot = f"{number:06d}"
        fresh.rename(self._folder / f"{snapshot}.json")
        self._last = (snapshot, tree)
        return snapshot

    def list(self) -> list[str]:
        """Ids of all complete snapshots, oldest first."""
        names = (path.name for path in self._folder.iterdir())
        return sorted(name[:-5] for name in names if re.fullmatch(r"\d{6,}\.json", name))

    def first(self) -> str | None:
        """Id of the oldest snapshot: the workspace before the episode changed anything."""
        known = self.list()
        return known[0] if known else None

    def tree(self, snapshot: str) -> Tree:
        """The saved tree.

        Raises:
            InputError: there is no such snapshot.
            SandboxError: its file is damaged.
        """
        if self._last is not None and self._last[0] == snapshot:
            return self._last[1]
        if not re.fullmatch(r"\d{6,}", snapshot):
            raise InputError(f"{snapshot!r} is not a snapshot id", field="snapshot", fix=self._known_ids())
        try:
            data = json.loads((self._folder / f"{snapshot}.json").read_text())
            if data["format"] != FORMAT:
                raise SandboxError(f"snapshot {snapshot} has format {data['format']}, this version reads {FORMAT}")
            self.objects.load({digest: (offset, size) for digest, (offset, size) in data["objects"].items()})
            return {path: _entry(row) for path, row in data["entries"].items()}
        except FileNotFoundError:
            raise InputError(f"there is no snapshot {snapshot}", field="snapshot", fix=self._known_ids()) from None
        except (ValueError, KeyError, TypeError) as error:
            raise SandboxError(f"snapshot {snapshot} is damaged: {error}") from None

    def restore(self, snapshot: str) -> None:
        """Make the workspace what it was: content, modes, times, links, empty folders.

        Raises:
            InputError: there is no such snapshot.
        """
        tree = self.tree(snapshot)
        fd = self._open()
        try:
            self.objects.begin()
            restoring.restore(fd, tree, self.objects, self.objects.copy_to)
        finally:
            os.close(fd)

    def _known_ids(self) -> str:
        return "one of " + (", ".join(self.list()) or "none yet")

    def _open(self) -> int:
        try:
            return os.open(self.workspace, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise SandboxError(f"the workspace cannot be opened: {os.strerror(error.errno or 0)}") from None


def _entry(row: list[Any]) -> Entry:
    kind, mode, uid, gid, mtime_ns, content, group, (dev, ino, size, mtime, ctime) = row
    return Entry(kind, mode, uid, gid, mtime_ns, content, group, (dev, ino, size, mtime, ctime))
