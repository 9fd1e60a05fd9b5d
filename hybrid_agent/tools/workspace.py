"""The harness's own access to the workspace: every open goes through `open_beneath`.

The agent's processes may plant links, swap folders for links while we work, or leave fifos and huge files behind. So
names are resolved by the kernel below the folder we hold open, only regular files are read or written, and
sizes are capped.
"""

# Works on descriptors and names relative to them, which pathlib cannot.
# ruff: noqa: PTH101
from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from hybrid_agent.errors import SandboxError
from hybrid_agent.tools.beneath import open_beneath
from hybrid_agent.tools.failure import ToolFailure

INSIDE = "/workspace"  # what the workspace is called in the sandbox
READ_CAP = 4 * 2**20
WRITE_CAP = 16 * 2**20

_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_REASONS = {
    errno.ENOENT: "no such file or folder",
    errno.EEXIST: "already exists",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.EISDIR: "is a folder",
    errno.ENOTEMPTY: "folder is not empty",
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.ELOOP: "link may not be followed",
    errno.EXDEV: "a link leads out of the workspace",
    errno.ENAMETOOLONG: "name is too long",
    errno.ENXIO: "not a regular file",
    errno.ENOSPC: "no space left",
    errno.EROFS: "read-only",
}


@contextlib.contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn an OSError about `path` into a ToolFailure without host paths."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or os.strerror(error.errno or 0).lower()
        denied = "path.outside" if error.errno == errno.EXDEV else None
        raise ToolFailure(f"{path}: {reason}", denied=denied) from error


class Workspace:
    """An open workspace folder. Paths given to its methods are relative (a leading /workspace/ is dropped)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            self.fd = os.open(root, _FOLDER | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise SandboxError(f"the workspace cannot be opened: {os.strerror(error.errno or 0)}") from error
        self._id = os.fstat(self.fd)

    def close(self) -> None:
        """Close the folder; idempotent."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def still_there(self) -> bool:
        """Whether the path still names the folder that was opened (not a link or another folder put in its place)."""
        try:
            now = os.lstat(self.root)
        except OSError:
            return False
        return stat.S_ISDIR(now.st_mode) and (now.st_dev, now.st_ino) == (self._id.st_dev, self._id.st_ino)

    # --- names
    @staticmethod
    def relative(path: str) -> str:
        """The normal relative form of `path` ('.' is the workspace itself).

        Raises:
            ToolFailure: the path is absolute elsewhere or climbs out.
        """
        if path == INSIDE or path.startswith(INSIDE + "/"):
            path = path[len(INSIDE) :].lstrip("/") or "."
        if "\0" in path or path.startswith("/"):
            raise ToolFailure(f"{path!r}: only paths inside the workspace can be used", denied="path.outside")
        normal = posixpath.normpath(path or ".")
        if normal == ".." or normal.startswith("../"):
            raise ToolFailure(f"{path}: leads out of the workspace", denied="path.outside")
        return normal

    @contextlib.contextmanager
    def parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Open the folder that holds `path`; yields (folder fd, last name). `make` creates missing folders."""
        rel = self.relative(path)
        if rel == ".":
            raise ToolFailure("this is the workspace folder itself")
        head, name = posixpath.split(rel)
        with explained(path):
            fd = self._folder(head or ".", make=make)
        try:
            yield fd, name
        finally:
            os.close(fd)

    def _folder(self, rel: str, *, make: bool) -> int:
        try:
            return open_beneath(self.fd, rel, _FOLDER)
        except FileNotFoundError:
            if not make or rel == ".":
                raise
        head, name = posixpath.split(rel)
        above = self._folder(head or ".", make=True)
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=above)
                self.own_name(above, name)
        finally:
            os.close(above)
        return open_beneath(self.fd, rel, _FOLDER)

    # --- ownership: when we run as root the sandbox uses another user, who must own what we make
    def own_fd(self, fd: int) -> None:
        """Give an open file to the workspace's owner."""
        if os.geteuid() == 0 and self._id.st_uid != 0:
            os.fchown(fd, self._id.st_uid, self._id.st_gid)

    def own_name(self, folder: int, name: str) -> None:
        """Give an entry of an open folder to the workspace's owner."""
        if os.geteuid() == 0 and self._id.st_uid != 0:
            os.chown(name, self._id.st_uid, self._id.st_gid, dir_fd=folder, follow_symlinks=False)

    # --- looking
    def lstat(self, path: str) -> os.stat_result | None:
        """Status of `path` without following a last link; None if nothing is there."""
        if self.relative(path) == ".":
            return os.fstat(self.fd)
        try:
            with self.parent(path) as (folder, name), explained(path):
                return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except ToolFailure as failure:
            if isinstance(failure.__cause__, FileNotFoundError | NotADirectoryError):
                return None
            raise

    def stat(self, path: str) -> os.stat_result | None:
        """Status of `path`, links inside the workspace followed; None if nothing is there."""
        try:
            fd = open_beneath(self.fd, self.relative(path), os.O_PATH)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno in (errno.EXDEV, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES):
                return None
            raise
        try:
            return os.fstat(fd)
        finally:
            os.close(fd)

    def is_folder(self, path: str) -> bool:
        """Whether `path` is a folder (or a link to one inside)."""
        found = self.stat(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def link_target(self, path: str) -> str:
        """The stored target of a symbolic link."""
        with self.parent(path) as (folder, name), explained(path):
            return os.readlink(name, dir_fd=folder)

    def names(self, path: str) -> list[str]:
        """Entries of a folder, sorted, folders with a final '/'."""
        with explained(path):
            fd = open_beneath(self.fd, self.relative(path), _FOLDER)
        try:
            with os.scandir(fd) as entries:
                return sorted(e.name + ("/" if e.is_dir(follow_symlinks=False) else "") for e in entries)
        finally:
            os.close(fd)

    def read(self, path: str, cap: int = READ_CAP) -> bytes:
        """Contents of a regular file of at most `cap` bytes."""
        with explained(path):
            fd = open_beneath(self.fd, self.relative(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            found = os.fstat(fd)
            self._regular(path, found)
            if found.st_size > cap:
                raise ToolFailure(f"{path}: {found.st_size} bytes is more than the {cap} that can be read at once")
            with explained(path), os.fdopen(fd, "rb", closefd=False) as file:
                data = file.read(cap + 1)
        finally:
            os.close(fd)
        if len(data) > cap:
            raise ToolFailure(f"{path}: more than the {cap} bytes that can be read at once")
        return data

    @staticmethod
    def _regular(path: str, found: os.stat_result) -> None:
        if stat.S_ISDIR(found.st_mode):
            raise ToolFailure(f"{path}: is a folder")
        if not stat.S_ISREG(found.st_mode):
            raise ToolFailure(f"{path}: not a regular file")

    # --- changing
    def write(self, path: str, data: bytes, *, append: bool = False, mode: int | None = None) -> None:
        """Write (or append to) a file, making missing folders. A file with several hard links gets a copy of its own,
        since we cannot know where its other names are."""
        if len(data) > WRITE_CAP:
            raise ToolFailure(f"{path}: {len(data)} bytes is more than the {WRITE_CAP} that can be written at once")
        rel = self.relative(path)
        with self.parent(path, make=True):
            pass
        with explained(path):
            try:
                fd = open_beneath(self.fd, rel, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOCTTY)
                self.own_fd(fd)
            except FileExistsError:
                fd = open_beneath(self.fd, rel, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            found = os.fstat(fd)
            self._regular(path, found)
            if found.st_nlink > 1:
                before = self.read(path, WRITE_CAP) if append else b""
                self._replace(path, before + data, stat.S_IMODE(found.st_mode) if mode is None else mode)
                return
            with explained(path):
                if append:
                    os.lseek(fd, 0, os.SEEK_END)
                else:
                    os.ftruncate(fd, 0)
                _write_all(fd, data)
                if mode is not None:
                    os.fchmod(fd, mode)
        finally:
            os.close(fd)

    def _replace(self, path: str, data: bytes, mode: int) -> None:
        with self.parent(path) as (folder, name), explained(path):
            fresh = f".{secrets.token_hex(8)}.tmp"
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                _write_all(fd, data)
                os.fchmod(fd, mode)
                self.own_fd(fd)
            finally:
                os.close(fd)
            os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)

    def mkdir(self, path: str) -> None:
        """Make a folder and its missing parents; an existing one is a failure."""
        with self.parent(path, make=True) as (folder, name), explained(path):
            os.mkdir(name, 0o755, dir_fd=folder)
            self.own_name(folder, name)

    def symlink(self, path: str, target: str) -> None:
        """Make a symbolic link at `path` that stores `target`; the target must stay inside the workspace."""
        rel = self.relative(path)
        if target.startswith("/"):
            raise ToolFailure(f"{target}: a link needs a relative target", denied="path.outside")
        self.relative(posixpath.join(posixpath.dirname(rel), target))
        with self.parent(path) as (folder, name), explained(path):
            os.symlink(target, name, dir_fd=folder)
            self.own_name(folder, name)

    def chmod(self, path: str, mode: int) -> None:
        """Set permission bits of a file or folder (set-uid, set-gid and sticky bits are dropped)."""
        with explained(path):
            fd = open_beneath(self.fd, self.relative(path), os.O_PATH)
        try:
            with explained(path):  # an O_PATH descriptor pins the file; chmod goes to exactly that one
                os.chmod(f"/proc/self/fd/{fd}", mode & 0o777)
        finally:
            os.close(fd)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
