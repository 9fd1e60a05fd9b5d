"""Filling a workspace with what a caller sent, and telling what is in it and has changed. Never follows a link out."""

from __future__ import annotations

import base64
import binascii
import difflib
import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.audit import changes, clean
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.scan import Entry
from hybrid_agent.tools.snapshot import SnapshotStore
from hybrid_agent.tools.workspace import Workspace
from hybrid_agent.types import SetupItem

SETUP_S = 20.0
DIFF_FILES, DIFF_BYTES = 500, 200_000
LISTED, LISTED_DEPTH = 2000, 40

Kind = Literal["added", "changed", "removed"]


@dataclass(frozen=True)
class FileChange:
    """One path that differs; `diff` is unified, empty where a side is not text or too large."""

    path: str
    kind: Kind
    diff: str = ""


@dataclass(frozen=True)
class FileInfo:
    """One regular file; `modified` is in Unix seconds."""

    path: str
    size: int
    modified: float


def populate(workspace: Workspace, sandbox: Sandbox, items: Sequence[SetupItem]) -> None:
    """Put starting files into a workspace. Names are resolved below it by the kernel: no item leads out.

    Raises:
        InputError: an item cannot be made; names it.
        SandboxError: a command failed.
    """
    for at, item in enumerate(items):
        field = f"setup.{at}"
        try:
            if item.run is not None:
                quoted = "'" + item.path.replace("'", "'\\''") + "'"
                done = sandbox.run(["/bin/bash", "-c", f"cd -- {quoted} && {item.run}"], timeout_s=SETUP_S)
                if done.exit_code != 0:
                    raise SandboxError(f"setup command failed: {item.run!r}: {done.stderr[-300:]}")
            elif item.dir:
                if not workspace.is_folder(item.path):
                    workspace.mkdir(item.path)
            elif item.link is not None:
                _parent(workspace, item.path)
                workspace.symlink(item.path, item.link)
            else:
                data = base64.b64decode(item.b64, validate=True) if item.b64 is not None else (item.text or "").encode()
                workspace.write(item.path, data)
            if item.mode is not None and item.run is None and item.link is None:
                workspace.chmod(item.path, int(item.mode, 8))
        except (ToolFailure, binascii.Error, UnicodeError) as error:
            raise InputError(str(error), field=field, fix="use relative paths inside the workspace") from None


def regular_files(workspace: Workspace) -> tuple[list[FileInfo], bool]:
    """All regular files by path, and whether there are more than are listed. Folders behind links are not entered."""
    found: list[FileInfo] = []
    try:
        for one in _below(workspace, "", 0):
            if len(found) == LISTED:
                return found, True
            found.append(one)
    except ToolFailure:
        return found, True
    return found, False


def differences(store: SnapshotStore, since: str) -> list[FileChange]:
    """What differs between a snapshot and the workspace now.

    Raises:
        InputError: there is no such snapshot.
    """
    before, after = store.tree(since), store.observe()
    found: list[FileChange] = []
    for change in changes(before, after)[:DIFF_FILES]:
        old, new = before.get(change.path), after.get(change.path)
        if all(entry is None or entry.kind == "dir" for entry in (old, new)) and change.what != "mode":
            continue
        kind: Kind = "added" if old is None else "removed" if new is None else "changed"
        found.append(FileChange(clean(change.path), kind, _diff(store, clean(change.path), old, new)))
    return found


def _below(workspace: Workspace, prefix: str, depth: int) -> Iterator[FileInfo]:
    for name in workspace.names(prefix or "."):
        path = prefix + name
        if name.endswith("/"):
            if depth < LISTED_DEPTH:
                yield from _below(workspace, path, depth + 1)
            continue
        found = workspace.lstat(path)
        if found is not None and stat.S_ISREG(found.st_mode):
            shown = os.fsencode(path).decode("utf-8", "backslashreplace")
            yield FileInfo(shown, found.st_size, round(found.st_mtime, 3))


def _diff(store: SnapshotStore, name: str, old: Entry | None, new: Entry | None) -> str:
    sides = [_text(store, entry) for entry in (old, new)]
    if sides[0] is None or sides[1] is None:
        return ""
    if old is not None and new is not None and sides[0] == sides[1] and old.mode != new.mode:
        return f"old mode {old.mode:04o}\nnew mode {new.mode:04o}\n"
    names = [f"a/{name}" if old else "/dev/null", f"b/{name}" if new else "/dev/null"]
    lines = difflib.unified_diff(*(side.splitlines(keepends=True) for side in sides if side is not None), *names)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _text(store: SnapshotStore, entry: Entry | None) -> str | None:
    """A side's text; None if it has none to show."""
    if entry is None:
        return ""
    if entry.kind == "link":
        return f"link to {clean(entry.content)}\n"
    if entry.kind != "file":
        return ""
    offset, size = store.objects.spot(entry.content)
    if size > DIFF_BYTES:
        return None
    with store.objects.path.open("rb") as file:
        file.seek(offset)
        data = file.read(size)
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _parent(workspace: Workspace, path: str) -> None:
    folder = posixpath.dirname(path)
    if folder and not workspace.is_folder(folder):
        workspace.mkdir(folder)
