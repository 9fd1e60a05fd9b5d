"""How much a workspace holds, and who owns it.

The tree may be hostile and changing: it is walked by directory descriptors, never through links, and
only so deep.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

RECOUNT_S = 1.0
COST_RATIO = 20  # counting may take at most one part in this many of a call's time
SLACK_BYTES, SLACK_ENTRIES = 1 << 20, 64  # others use the file system too
MAX_DEPTH = 128  # one descriptor a level is open while walking


class TooDeep(Exception):
    """The tree is deeper than any honest one."""


class _Entries(Protocol):
    def __next__(self) -> os.DirEntry[str]: ...
    def __iter__(self) -> Iterator[os.DirEntry[str]]: ...
    def close(self) -> None: ...


def walk(top: Path) -> Iterator[tuple[int, str, os.stat_result]]:
    """Yield (directory descriptor, name, stat) of everything below `top`; what vanishes meanwhile is skipped.

    Raises:
        TooDeep: after everything down to MAX_DEPTH was yielded, if there is more below.
    """
    stack: list[tuple[int, _Entries]] = []
    too_deep = False

    def enter(name: str | Path, parent: int | None) -> None:
        with contextlib.suppress(OSError):
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            stack.append((fd, os.scandir(fd)))

    enter(top, None)
    try:
        while stack:
            fd, entries = stack[-1]
            entry = next(entries, None)
            if entry is None:
                os.close(fd)
                stack.pop()
                continue
            try:
                found = os.stat(entry.name, dir_fd=fd, follow_symlinks=False)
            except OSError:
                continue
            yield fd, entry.name, found
            if stat.S_ISDIR(found.st_mode):
                if len(stack) < MAX_DEPTH:
                    enter(entry.name, fd)
                else:
                    too_deep = True
    finally:
        for fd, entries in stack:
            entries.close()
            os.close(fd)
    if too_deep:
        raise TooDeep


def usage(workspace: Path) -> tuple[int, int]:
    """Bytes on disk and number of entries below `workspace`.

    Raises:
        TooDeep: the tree is too deep to be counted.
    """
    size = entries = 0
    seen: set[tuple[int, int]] = set()
    for _, _, found in walk(workspace):
        entries += 1
        if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
        size += found.st_blocks * 512
    return size, entries


def give_to(workspace: Path, uid: int, gid: int, *, only_from: int | None = None) -> None:
    """Make (uid, gid) own everything that is not theirs yet (with `only_from`: what that uid owns)."""

    def wanted(found: os.stat_result) -> bool:
        return found.st_uid != uid and (only_from is None or found.st_uid == only_from)

    if wanted(workspace.stat()):
        os.chown(workspace, uid, gid)
    with contextlib.suppress(TooDeep):
        for fd, name, found in walk(workspace):
            if wanted(found):
                with contextlib.suppress(FileNotFoundError):
                    os.chown(name, uid, gid, dir_fd=fd, follow_symlinks=False)


class DiskWatch:
    """Tells a running call that the workspace has grown past its cap.

    Counting a large tree takes long, so it is done when the file system's free space has dropped by a
    good part of the cap, and otherwise about once a second. A call that finds the workspace overfull and adds
    nothing goes on: it may be the one that cleans up. Hence two counts in a row, and growth between them.
    """

    def __init__(self, workspace: Path, max_bytes: int, max_entries: int) -> None:
        self._workspace, self._max_bytes, self._max_entries = workspace, max_bytes, max_entries
        self._free = self._at_start = self._now_free()
        self._overfull: tuple[int, int] | None = None
        self._next = time.monotonic() + RECOUNT_S

    def over(self) -> str | None:
        """The name of the limit passed ("disk"), or None."""
        now = time.monotonic()
        space, nodes = self._now_free()
        dropped = self._free[0] - space > self._max_bytes // 4 or self._free[1] - nodes > self._max_entries // 4
        if not dropped and now < self._next:
            return None
        self._free = (space, nodes)
        try:
            counted = usage(self._workspace)
        except TooDeep:
            # What lies that deep is not counted; the file system's own figures have to do.
            added = space < self._at_start[0] - SLACK_BYTES or nodes < self._at_start[1] - SLACK_ENTRIES
            return "disk" if added else None
        self._next = time.monotonic() + max(RECOUNT_S, COST_RATIO * (time.monotonic() - now))
        if counted[0] <= self._max_bytes and counted[1] <= self._max_entries:
            self._overfull = None
            return None
        before, self._overfull = self._overfull, counted
        if before is None:
            self._next = now  # look again at the next turn
            return None
        return "disk" if counted[0] > before[0] or counted[1] > before[1] else None

    def _now_free(self) -> tuple[int, int]:
        try:
            found = os.statvfs(self._workspace)
        except OSError:
            return (0, 0)
        return found.f_bfree * found.f_frsize, found.f_ffree
