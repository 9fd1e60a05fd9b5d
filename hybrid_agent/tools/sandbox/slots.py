"""User ids lent to sandboxes when the harness is root: one unprivileged id for each sandbox alive.

A jail must not run as root even inside its own user namespace: for the kernel it would still be root
(/proc/sys writable, process limits ignored). Ids come from a range no distribution hands out; a locked
file marks an id as taken and the kernel frees the lock with the process.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from hybrid_agent.errors import SandboxError

FIRST_ID = 1_900_000_000
COUNT = 4096


class Slot:
    """One lent id (user and group alike); free again after `close`."""

    def __init__(self, uid: int, fd: int) -> None:
        self.uid = uid
        self._fd = fd

    def close(self) -> None:
        """Give the id back; idempotent."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def is_real_root() -> bool:
    """True if we are root of the whole machine view, able to become any user (not of a user namespace)."""
    if os.geteuid() != 0:
        return False
    try:
        first = Path("/proc/self/uid_map").read_text().split()
    except OSError:
        return False
    return first[:2] == ["0", "0"] and int(first[2]) > FIRST_ID + COUNT


def lend_slot() -> Slot:
    """Lend a free id.

    Raises:
        SandboxError: all ids are taken or the lock folder cannot be made.
    """
    folder = _lock_folder()
    for n in range(COUNT):
        fd = os.open(folder / str(n), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            continue
        return Slot(FIRST_ID + n, fd)
    raise SandboxError(f"all {COUNT} sandbox user ids are in use")


def _lock_folder() -> Path:
    for base in ("/run", tempfile.gettempdir()):
        folder = Path(base) / "hybrid-agent-slots"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            stat = folder.lstat()
        except OSError:
            continue
        if stat.st_uid == 0 and (stat.st_mode & 0o170777) == 0o040700:
            return folder
    raise SandboxError("no private folder for sandbox user ids could be made in /run or the temporary folder")
