"""Copy, move, remove and find inside the workspace, on folder descriptors only."""

# Works on descriptors and names relative to them, which pathlib cannot.
# ruff: noqa: PTH101, PTH208
from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import posixpath
import stat

from hybrid_agent.tools.beneath import open_beneath
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.workspace import Workspace, explained

FIND_CAP = 200
DEPTH_CAP = 128  # also bounds the number of open folders
COPY_CAP = 256 * 2**20

_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def find(workspace: Workspace, path: str, pattern: str) -> list[str]:
    """Relative paths below `path` whose last name matches the glob; folders end in '/'. .git is not searched."""
    start = workspace.relative(path)
    found: list[str] = []
    with explained(path):
        root = open_beneath(workspace.fd, start, os.O_RDONLY | os.O_DIRECTORY)

    def visit(fd: int, at: str, depth: int) -> None:
        with os.scandir(fd) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
        for entry in ordered:
            if len(found) >= FIND_CAP:
                return
            rel = posixpath.normpath(posixpath.join(at, entry.name))
            folder = entry.is_dir(follow_symlinks=False)
            if fnmatch.fnmatchcase(entry.name, pattern):
                found.append(rel + ("/" if folder else ""))
            if folder and entry.name != ".git" and depth < DEPTH_CAP:
                with contextlib.suppress(OSError):
                    child = os.open(entry.name, _OPEN_DIR, dir_fd=fd)
                    try:
                        visit(child, rel, depth + 1)
                    finally:
                        os.close(child)

    try:
        visit(root, start, 0)
    finally:
        os.close(root)
    return found


def destination(workspace: Workspace, path: str, to: str) -> str:
    """Where copy/move puts `path`: `to`, or inside it when it is a folder.

    Raises:
        ToolFailure: the source is missing, the parent is missing, or something is already there.
    """
    source = workspace.relative(path)
    if source == ".":
        raise ToolFailure("the workspace folder itself cannot be copied or moved")
    if workspace.lstat(path) is None:
        raise ToolFailure(f"{path}: no such file or folder")
    target = workspace.relative(to)
    if workspace.is_folder(target):
        target = posixpath.normpath(posixpath.join(target, posixpath.basename(source)))
    above = posixpath.dirname(target) or "."
    if not workspace.is_folder(above):
        raise ToolFailure(f"{above}: no such folder; make it first")
    if target == source or workspace.lstat(target) is not None:
        raise ToolFailure(f"{target}: already exists")
    if target.startswith(source + "/"):
        raise ToolFailure(f"{to}: is inside {path}")
    return target


def move(workspace: Workspace, path: str, to: str) -> str:
    """Rename; returns the new path."""
    target = destination(workspace, path, to)
    with (
        workspace.parent(path) as (old, old_name),
        workspace.parent(target) as (new, new_name),
        explained(path),
    ):
        os.rename(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)
    return target


def copy(workspace: Workspace, path: str, to: str) -> str:
    """Copy a file, link or whole folder with its modes; returns the new path."""
    target = destination(workspace, path, to)
    budget = [COPY_CAP]
    with (
        workspace.parent(path) as (old, old_name),
        workspace.parent(target) as (new, new_name),
        explained(path),
    ):
        _copy_entry(workspace, old, old_name, new, new_name, budget, 0)
    return target


def _copy_entry(
    workspace: Workspace, old: int, old_name: str, new: int, new_name: str, budget: list[int], depth: int
) -> None:
    status = os.stat(old_name, dir_fd=old, follow_symlinks=False)
    if depth > DEPTH_CAP:
        raise OSError(errno.ENAMETOOLONG, "too deep")
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(old_name, dir_fd=old), new_name, dir_fd=new)
        workspace.own_name(new, new_name)
    elif stat.S_ISDIR(status.st_mode):
        os.mkdir(new_name, 0o700, dir_fd=new)
        workspace.own_name(new, new_name)
        source = os.open(old_name, _OPEN_DIR, dir_fd=old)
        copied = os.open(new_name, _OPEN_DIR, dir_fd=new)
        try:
            for name in sorted(os.listdir(source)):
                _copy_entry(workspace, source, name, copied, name, budget, depth + 1)
            os.fchmod(copied, stat.S_IMODE(status.st_mode))
        finally:
            os.close(source)
            os.close(copied)
    else:
        _copy_file(workspace, old, old_name, new, new_name, budget)


def _copy_file(workspace: Workspace, old: int, old_name: str, new: int, new_name: str, budget: list[int]) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    source = os.open(old_name, flags, dir_fd=old)
    try:
        status = os.fstat(source)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.ENXIO, "not a regular file")
        budget[0] -= status.st_size
        if budget[0] < 0:
            raise OSError(errno.EFBIG, "too much to copy")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        copied = os.open(new_name, flags, 0o600, dir_fd=new)
        try:
            left = status.st_size
            while left > 0:
                sent = os.sendfile(copied, source, None, left)
                if sent == 0:
                    break
                left -= sent
            os.fchmod(copied, stat.S_IMODE(status.st_mode))
            workspace.own_fd(copied)
        finally:
            os.close(copied)
    finally:
        os.close(source)


def remove(workspace: Workspace, path: str) -> None:
    """Remove a file, a link (never its target) or a whole folder."""
    with workspace.parent(path) as (folder, name), explained(path):
        remove_entry(folder, name)


def remove_entry(folder: int, name: str) -> None:
    """Remove `name` from an open folder, recursively, following no link.

    Trees deeper than DEPTH_CAP are handled by pulling deep folders up beside `name`, so that neither the
    number of open folders nor the recursion grows with what the agent made.
    """
    if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=folder)
        return
    pulled: list[str] = []
    _empty(folder, name, folder, pulled, 0)
    os.rmdir(name, dir_fd=folder)
    while pulled:
        deep = pulled.pop()
        _empty(folder, deep, folder, pulled, 0)
        os.rmdir(deep, dir_fd=folder)


def _empty(folder: int, name: str, top: int, pulled: list[str], depth: int) -> None:
    fd = open_dir(folder, name)
    try:
        for child in os.listdir(fd):
            status = os.stat(child, dir_fd=fd, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                os.unlink(child, dir_fd=fd)
            elif depth >= DEPTH_CAP:
                moved = f".deep-{os.urandom(8).hex()}"
                os.rename(child, moved, src_dir_fd=fd, dst_dir_fd=top)
                pulled.append(moved)
            else:
                _empty(fd, child, top, pulled, depth + 1)
                os.rmdir(child, dir_fd=fd)
    finally:
        os.close(fd)


def open_dir(folder: int, name: str) -> int:
    """Open a subfolder for reading and writing, opening its permissions first when they forbid that."""
    if os.geteuid() != 0:
        pin = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            mode = os.fstat(pin).st_mode
            if mode & 0o700 != 0o700:
                os.chmod(f"/proc/self/fd/{pin}", stat.S_IMODE(mode) | 0o700)
        finally:
            os.close(pin)
    return os.open(name, _OPEN_DIR, dir_fd=folder)
