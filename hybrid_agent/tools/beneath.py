"""Opening files below a folder without ever leaving it, whatever links another process plants meanwhile.

The kernel does the work: openat2(2) with RESOLVE_BENEATH resolves a whole path inside one folder, in one step, so
there is no moment between a check and the use. Where openat2 is missing the path is walked component by
component with O_NOFOLLOW: stricter, since links inside the folder are refused too.
"""

from __future__ import annotations

import ctypes
import errno
import os

_SYS_OPENAT2 = 437  # the same number on every architecture
_RESOLVE = 0x08 | 0x02  # RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS
_RETRIES = 64


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_libc = ctypes.CDLL(None, use_errno=True)


def _openat2(root_fd: int, path: bytes, flags: int, mode: int) -> int:
    how = _OpenHow(flags, mode if flags & os.O_CREAT else 0, _RESOLVE)
    for _ in range(_RETRIES):
        fd = _libc.syscall(
            ctypes.c_long(_SYS_OPENAT2),
            ctypes.c_int(root_fd),
            ctypes.c_char_p(path),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if fd >= 0:
            return int(fd)
        number = ctypes.get_errno()
        if number not in (errno.EAGAIN, errno.EINTR):  # EAGAIN: something was renamed during a walk over ".."
            break
    raise OSError(number, os.strerror(number), os.fsdecode(path))


def _walk(root_fd: int, path: bytes, flags: int, mode: int) -> int:
    parts = [part for part in path.split(b"/") if part not in (b"", b".")]
    if path.startswith(b"/") or b".." in parts:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), os.fsdecode(path))
    folder = os.dup(root_fd)
    try:
        for part in parts[:-1]:
            step = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = step
        return os.open(parts[-1] if parts else b".", flags | os.O_NOFOLLOW, mode, dir_fd=folder)
    finally:
        os.close(folder)


def openat2_works() -> bool:
    """Whether this kernel (and any filter around us) offers openat2."""
    fd = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(_openat2(fd, b".", os.O_PATH | os.O_CLOEXEC, 0))
        return True
    except OSError:
        return False
    finally:
        os.close(fd)


_KERNEL_HAS_IT = openat2_works()


def open_beneath(
    root_fd: int, path: str | bytes, flags: int, mode: int = 0o666, *, kernel: bool = _KERNEL_HAS_IT
) -> int:
    """Open `path` below the folder `root_fd` and return a file descriptor (close-on-exec).

    Args:
        root_fd: an open folder; nothing outside of it is ever opened.
        path: relative; absolute paths and links that lead out give EXDEV.
        flags: as for os.open.
        mode: permission bits of a file made with O_CREAT (the umask applies).
        kernel: use openat2; False walks component by component and follows no link at all.

    Raises:
        OSError: as os.open, EXDEV for a way out, ELOOP for a refused link.
    """
    raw = os.fsencode(path) or b"."
    opener = _openat2 if kernel else _walk
    return opener(root_fd, raw, flags | os.O_CLOEXEC, mode)
