"""Put a folder back to a saved tree, touching only what differs and following no link."""

# Works on descriptors and names relative to them, which pathlib cannot.
# ruff: noqa: PTH101
from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from collections import defaultdict
from collections.abc import Callable

from hybrid_agent.tools.scan import Entry, Reader, Tree
from hybrid_agent.tools.transfer import open_dir, remove_entry

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PIN = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def restore(root_fd: int, wanted: Tree, reader: Reader, write: Callable[[str, int], None]) -> None:
    """Make the open folder equal to `wanted`: content, modes, owners, times, links, hard links, empty folders.

    Entries that differ are removed and made anew rather than written over, so a hard link or symbolic link put in
    place of a file is never written through.

    Args:
        root_fd: the workspace.
        wanted: the saved tree.
        reader: hashes a present file.
        write: writes the content with a hash to an open file.
    """
    job = _Restore(wanted, reader, write)
    try:
        mode = stat.S_IMODE(os.fstat(root_fd).st_mode)
        if mode & 0o700 != 0o700:
            os.chmod(f"/proc/self/fd/{root_fd}", mode | 0o700)
        fd = open_dir(root_fd, ".")
        try:
            job.folder(fd, "")
        finally:
            os.close(fd)
    finally:
        job.close()


class _Restore:
    def __init__(self, wanted: Tree, reader: Reader, write: Callable[[str, int], None]) -> None:
        self.wanted, self.reader, self.write = wanted, reader, write
        self.children: dict[str, list[str]] = defaultdict(list)
        for path in wanted:
            if path != ".":
                head, name = posixpath.split(path)
                self.children[head + "/" if head else ""].append(name)
        self.leaders: dict[int, int] = {}  # hard-link group -> descriptor of its first file
        self.inodes: set[tuple[int, int]] = set()

    def close(self) -> None:
        for fd in self.leaders.values():
            os.close(fd)

    def folder(self, fd: int, prefix: str) -> None:
        wanted_names = self.children.get(prefix, [])
        keep = set(wanted_names)
        for name in os.listdir(fd):
            if name not in keep:
                remove_entry(fd, name)
        for name in wanted_names:
            path = prefix + name
            entry = self.wanted[path]
            if entry.kind == "dir":
                self._folder_entry(fd, name, path)
            elif entry.kind != "other":
                self._leaf(fd, name, entry)
        entry = self.wanted[prefix.rstrip("/") or "."]
        self._finish_fd(fd, entry)

    def _folder_entry(self, fd: int, name: str, path: str) -> None:
        status = _lstat(fd, name)
        if status is None or not stat.S_ISDIR(status.st_mode):
            if status is not None:
                remove_entry(fd, name)
            os.mkdir(name, 0o700, dir_fd=fd)
        child = open_dir(fd, name)
        try:
            self.folder(child, path + "/")
        finally:
            os.close(child)

    def _leaf(self, fd: int, name: str, entry: Entry) -> None:
        status = _lstat(fd, name)
        if status is not None and not self._as_wanted(fd, name, status, entry):
            remove_entry(fd, name)
            status = None
        if status is None:
            self._make(fd, name, entry)
        pin = os.open(name, _PIN, dir_fd=fd)
        try:
            if entry.kind != "link":
                now = os.fstat(pin)
                _own(f"/proc/self/fd/{pin}", now, entry)
                if stat.S_IMODE(os.fstat(pin).st_mode) != entry.mode:
                    os.chmod(f"/proc/self/fd/{pin}", entry.mode)
            else:
                _own(name, os.fstat(pin), entry, fd)
            if entry.group and entry.group not in self.leaders:
                found = os.fstat(pin)
                self.leaders[entry.group] = os.dup(pin)
                self.inodes.add((found.st_dev, found.st_ino))
            if os.fstat(pin).st_mtime_ns != entry.mtime_ns:
                with contextlib.suppress(OSError):
                    os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=fd, follow_symlinks=False)
        finally:
            os.close(pin)

    def _as_wanted(self, fd: int, name: str, status: os.stat_result, entry: Entry) -> bool:
        match entry.kind:
            case "link":
                return stat.S_ISLNK(status.st_mode) and os.readlink(name, dir_fd=fd) == entry.content
            case "fifo":
                return stat.S_ISFIFO(status.st_mode)
            case "socket":
                return stat.S_ISSOCK(status.st_mode)
        if not stat.S_ISREG(status.st_mode) or self.reader(fd, name, status) != entry.content:
            return False
        if entry.group == 0:
            return status.st_nlink == 1
        leader = self.leaders.get(entry.group)
        if leader is None:
            return (status.st_dev, status.st_ino) not in self.inodes
        first = os.fstat(leader)
        return (first.st_dev, first.st_ino) == (status.st_dev, status.st_ino)

    def _make(self, fd: int, name: str, entry: Entry) -> None:
        if entry.kind == "link":
            os.symlink(entry.content, name, dir_fd=fd)
        elif entry.kind == "fifo":
            os.mkfifo(name, entry.mode, dir_fd=fd)
        elif entry.kind == "socket":
            os.mknod(name, stat.S_IFSOCK | entry.mode, dir_fd=fd)
        elif entry.group in self.leaders:
            os.link(f"/proc/self/fd/{self.leaders[entry.group]}", name, dst_dir_fd=fd, follow_symlinks=True)
        else:
            made = os.open(name, _CREATE, 0o600, dir_fd=fd)
            try:
                self.write(entry.content, made)
            finally:
                os.close(made)

    @staticmethod
    def _finish_fd(fd: int, entry: Entry) -> None:
        now = os.fstat(fd)
        _own(fd, now, entry)
        if stat.S_IMODE(os.fstat(fd).st_mode) != entry.mode:
            os.fchmod(fd, entry.mode)
        if os.fstat(fd).st_mtime_ns != entry.mtime_ns:
            os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))


def _lstat(fd: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _own(target: str | int, now: os.stat_result, entry: Entry, folder: int | None = None) -> None:
    if os.geteuid() == 0 and (now.st_uid, now.st_gid) != (entry.uid, entry.gid):
        if folder is None:
            os.chown(target, entry.uid, entry.gid)
        else:
            os.chown(target, entry.uid, entry.gid, dir_fd=folder, follow_symlinks=False)
