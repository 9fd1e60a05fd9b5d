"""How much a workspace holds, and who owns it. Walks by directory descriptors, never through links."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

RECOUNT_S = 1.0
COST_RATIO = 20  # counting may take at most one part in this many of a call's time


def usage(workspace: Path) -> tuple[int, int]:
    """Bytes on disk and number of entries below `workspace`; what vanishes meanwhile is skipped."""
    size = entries = 0
    seen: set[tuple[int, int]] = set()
    for _, folders, files, fd in os.fwalk(workspace, follow_symlinks=False):
        for name in folders + files:
            with contextlib.suppress(OSError):
                stat = os.stat(name, dir_fd=fd, follow_symlinks=False)
                entries += 1
                if stat.st_nlink > 1 and name in files:
                    if (stat.st_dev, stat.st_ino) in seen:
                        continue
                    seen.add((stat.st_dev, stat.st_ino))
                size += stat.st_blocks * 512
    return size, entries


def give_to(workspace: Path, uid: int, gid: int, *, only_from: int | None = None) -> None:
    """Make (uid, gid) own everything that is not theirs yet (with `only_from`: what that uid owns)."""

    def pass_on(name: str | Path, fd: int | None) -> None:
        with contextlib.suppress(FileNotFoundError):
            stat = os.stat(name, dir_fd=fd, follow_symlinks=False)
            if stat.st_uid != uid and (only_from is None or stat.st_uid == only_from):
                os.chown(name, uid, gid, dir_fd=fd, follow_symlinks=False)

    pass_on(workspace, None)
    for _, folders, files, fd in os.fwalk(workspace, follow_symlinks=False):
        for name in folders + files:
            pass_on(name, fd)


class DiskWatch:
    """Tells a running call that the workspace has grown past its cap.

    Counting a large tree takes long, so it is done when the file system's free space has dropped by a
    good part of the cap, and otherwise about once a second.
    """

    def __init__(self, workspace: Path, max_bytes: int, max_entries: int) -> None:
        self._workspace, self._max_bytes, self._max_entries = workspace, max_bytes, max_entries
        self._free = self._now_free()
        self._next = time.monotonic() + RECOUNT_S

    def over(self) -> str | None:
        """The name of the limit passed, or None."""
        now = time.monotonic()
        space, nodes = self._now_free()
        dropped = self._free[0] - space > self._max_bytes // 4 or self._free[1] - nodes > self._max_entries // 4
        if not dropped and now < self._next:
            return None
        self._free = (space, nodes)
        size, entries = usage(self._workspace)
        self._next = time.monotonic() + max(RECOUNT_S, COST_RATIO * (time.monotonic() - now))
        return "disk" if size > self._max_bytes or entries > self._max_entries else None

    def _now_free(self) -> tuple[int, int]:
        try:
            stat = os.statvfs(self._workspace)
        except OSError:
            return (0, 0)
        return stat.f_bfree * stat.f_frsize, stat.f_ffree
