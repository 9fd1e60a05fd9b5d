"""A private mount namespace in which the jail's user can reach the workspace as its own (root only).

Two things would otherwise stop a jail that runs under an unprivileged id: the folders above the
workspace may be closed to it, and the files in it belong to someone else. Here the workspace is
mounted once more, below a fresh tmpfs, with its ids mapped: what the owner of the workspace owns on disk
appears to the jail as its own, and what the jail makes is stored as the owner's. Nothing on disk
changes hands, and the rest of the machine does not see the mount.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hybrid_agent.errors import SandboxError

STAGE = "/tmp"  # covered by a tmpfs inside the namespace only
WORKSPACE = f"{STAGE}/workspace"

_CLONE_FS, _CLONE_NEWNS = 0x200, 0x20000
_MS_NOSUID_NODEV, _MS_REC, _MS_PRIVATE = 2 | 4, 16384, 1 << 18
_AT_EMPTY_PATH, _AT_FDCWD = 0x1000, -100
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOVE_FROM_EMPTY_PATH = 4
_MNT_DETACH = 2
_ATTR_IDMAP = 0x100000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


class Stage:
    """The namespace, held by a file descriptor. `mapped` is False where the file system cannot map ids."""

    def __init__(self, fd: int, mapped: bool) -> None:
        self.fd = fd
        self.mapped = mapped

    def close(self) -> None:
        """Let the kernel drop the namespace; idempotent."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


def staged_ro(index: int) -> str:
    """Path inside the namespace of the read-only bind with that index."""
    return f"{STAGE}/ro{index}"


def make_stage(workspace: Path, owner: tuple[int, int], slot: int, ro_binds: Mapping[str, Path]) -> Stage | None:
    """Build the namespace: `owner` is (uid, gid) on disk, `slot` the id the jail runs under.

    None where it cannot be built at all: an old kernel, or root without the right to mount.

    Raises:
        SandboxError: mounting failed for another reason.
    """
    result: list[Stage | BaseException] = []

    def work() -> None:
        # unshare acts on the calling thread alone, so a thread of its own can change its view of the mounts and
        # then end; the harness's other threads never see it.
        try:
            result.append(_build(workspace, owner, slot, ro_binds))
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=work, name="sandbox-stage")
    thread.start()
    thread.join()
    outcome = result[0]
    if isinstance(outcome, OSError) and outcome.errno in (errno.EPERM, errno.ENOSYS):
        return None
    if isinstance(outcome, OSError):
        raise SandboxError(f"could not stage the workspace for the sandbox: {outcome}") from outcome
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _build(workspace: Path, owner: tuple[int, int], slot: int, ro_binds: Mapping[str, Path]) -> Stage:
    _check(_libc.unshare(_CLONE_FS | _CLONE_NEWNS), "unshare")
    _check(_libc.mount(None, b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None), "mount --make-rprivate /")
    with ExitStack() as stack:
        # Everything is picked up before the tmpfs covers /tmp, where the sources may lie.
        tree = clone(workspace, stack)
        others = [clone(path, stack) for path in ro_binds.values()]
        mapped = map_ids(tree, owner, slot)
        flags = ctypes.c_ulong(_MS_NOSUID_NODEV)
        _check(_libc.mount(b"tmpfs", STAGE.encode(), b"tmpfs", flags, b"size=1m,mode=0755"), "mount tmpfs")
        Path(WORKSPACE).mkdir()
        attach(tree, WORKSPACE)
        for index, fd in enumerate(others):
            target = Path(staged_ro(index))
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                target.mkdir()
            else:
                target.touch()
            attach(fd, str(target))
        return Stage(os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC), mapped)


def clone(path: Path, stack: ExitStack) -> int:
    """A detached copy of the mount at `path`, as a descriptor."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC
    fd = int(_libc.syscall(_OPEN_TREE, _AT_FDCWD, str(path).encode(), flags))
    _check(fd, f"open_tree {path}")
    stack.callback(os.close, fd)
    return fd


def attach(tree: int, target: str) -> None:
    """Mount a detached tree at `target`."""
    _check(
        _libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, target.encode(), _MOVE_FROM_EMPTY_PATH),
        f"move_mount {target}",
    )


def detach(target: str) -> None:
    """Take the mount at `target` away, at once for new users of it.

    Raises:
        OSError: nothing is mounted there, or we may not.
    """
    _check(_libc.umount2(target.encode(), _MNT_DETACH), f"umount {target}")


def map_ids(tree: int, owner: tuple[int, int], slot: int) -> bool:
    """Show files of `owner` as files of `slot`; False if this kernel or file system cannot."""
    with _mapping_namespace(owner, slot) as userns:
        attr = _MountAttr(set=_ATTR_IDMAP, userns=userns)
        done = _libc.syscall(
            _MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH, ctypes.byref(attr), ctypes.c_size_t(ctypes.sizeof(attr))
        )
    return bool(done == 0)


@contextmanager
def _mapping_namespace(owner: tuple[int, int], slot: int) -> Iterator[int]:
    """Yields the descriptor of a user namespace that carries the mapping."""
    # The namespace needs a process to be born in; it ends when its standard input does.
    argv = ["/usr/bin/unshare", "--user", "--", "/bin/sh", "-c", "echo; read _"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}, cwd="/") as process:
        assert process.stdout is not None
        if not process.stdout.read(1):
            raise OSError("no user namespace could be made")
        for name, disk in zip(("uid_map", "gid_map"), owner, strict=True):
            Path(f"/proc/{process.pid}/{name}").write_text(f"{disk} {slot} 1\n")
        fd = os.open(f"/proc/{process.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
