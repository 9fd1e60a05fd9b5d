"""What is in a folder: every entry with its type, mode, owner, times and content hash.

The walk holds folders open and follows no link. Hashing is left to a `reader`, so that snapshots can store what
they hash and skip files that did not change.
"""

# Works on descriptors and names relative to them, which pathlib cannot.
# ruff: noqa: PTH101
from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from hybrid_agent.tools.failure import ToolFailure

DEPTH_CAP = 128
Kind = Literal["file", "dir", "link", "fifo", "socket", "other"]
_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS: tuple[tuple[Callable[[int], bool], Kind], ...] = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "dir"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "fifo"),
    (stat.S_ISSOCK, "socket"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `content` is the SHA-256 of a file or the target of a link; `group` numbers files that are hard
    links of each other (0: none); `stamp` identifies the state of the inode and is not compared."""

    kind: Kind
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    content: str = ""
    group: int = 0
    stamp: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)

    def same(self, other: Entry) -> bool:
        """Whether nothing that `tree_digest` looks at differs."""
        return (self.kind, self.mode, self.content) == (other.kind, other.mode, other.content)


Tree = dict[str, Entry]  # relative path -> entry; "." is the folder itself; names are os.fsdecode'd


class Reader(Protocol):
    """Hashes one file."""

    def __call__(self, folder: int, name: str, status: os.stat_result) -> str:
        """SHA-256 of the regular file `name` in the open `folder`."""
        ...


def scan(root_fd: int, reader: Reader) -> Tree:
    """All entries below an open folder.

    Raises:
        ToolFailure: folders are nested too deeply.
    """
    tree: Tree = {}
    groups: dict[tuple[int, int], int] = {}
    status = os.fstat(root_fd)
    tree["."] = _entry(status, "", 0)
    with unlocked(root_fd, status):
        fd = os.open(".", _OPEN_DIR, dir_fd=root_fd)
        try:
            _scan(fd, "", 0, tree, groups, reader)
        finally:
            os.close(fd)
    return tree


def _scan(fd: int, prefix: str, depth: int, tree: Tree, groups: dict[tuple[int, int], int], reader: Reader) -> None:
    if depth > DEPTH_CAP:
        raise ToolFailure(f"folders are nested more than {DEPTH_CAP} deep")
    for name in sorted(os.listdir(fd)):
        try:
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
            content, group = "", 0
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(name, dir_fd=fd)
            elif stat.S_ISREG(status.st_mode):
                content = reader(fd, name, status)
                if status.st_nlink > 1:
                    group = groups.setdefault((status.st_dev, status.st_ino), len(groups) + 1)
        except FileNotFoundError:
            continue  # gone meanwhile
        tree[prefix + name] = _entry(status, content, group)
        if stat.S_ISDIR(status.st_mode):
            pin = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
            try:
                with unlocked(pin, status):
                    child = os.open(".", _OPEN_DIR, dir_fd=pin)
                    try:
                        _scan(child, f"{prefix}{name}/", depth + 1, tree, groups, reader)
                    finally:
                        os.close(child)
            finally:
                os.close(pin)


def stamp_of(status: os.stat_result) -> tuple[int, int, int, int, int]:
    """What changes whenever a file's content may have changed. A process cannot set ctime."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def kind_of(mode: int) -> Kind:
    """The kind of entry that a stat mode says."""
    return next((kind for test, kind in _KINDS if test(mode)), "other")


def _entry(status: os.stat_result, content: str, group: int) -> Entry:
    kind = kind_of(status.st_mode)
    mode = 0o777 if kind == "link" else stat.S_IMODE(status.st_mode)
    return Entry(kind, mode, status.st_uid, status.st_gid, status.st_mtime_ns, content, group, stamp_of(status))


@contextlib.contextmanager
def unlocked(pin: int, status: os.stat_result) -> Iterator[None]:
    """Make a folder that its owner (us) closed searchable for a while; the mode is put back."""
    mode = stat.S_IMODE(status.st_mode)
    closed = os.geteuid() != 0 and mode & 0o500 != 0o500
    if closed:
        os.chmod(f"/proc/self/fd/{pin}", mode | 0o500)
    try:
        yield
    finally:
        if closed:
            os.chmod(f"/proc/self/fd/{pin}", mode)


@contextlib.contextmanager
def opened(folder: int, name: str) -> Iterator[int]:
    """Open a file to read it, even if its owner (us) took the permission away; the mode is put back."""
    flags = _OPEN_FILE
    try:
        fd = os.open(name, flags, dir_fd=folder)
    except PermissionError:
        pin = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            mode = stat.S_IMODE(os.fstat(pin).st_mode)
            os.chmod(f"/proc/self/fd/{pin}", mode | 0o400)
            try:
                fd = os.open(f"/proc/self/fd/{pin}", flags & ~os.O_NOFOLLOW)
            finally:
                os.chmod(f"/proc/self/fd/{pin}", mode)
        finally:
            os.close(pin)
    try:
        yield fd
    finally:
        os.close(fd)


def hash_file(folder: int, name: str, status: os.stat_result) -> str:
    """A reader that only hashes."""
    with opened(folder, name) as fd:
        digest = hashlib.sha256()
        while chunk := os.read(fd, 1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
