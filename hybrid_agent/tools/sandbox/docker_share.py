"""How a container reaches the workspace, and under which user id.

Not as root, the container runs as the caller, who owns the workspace. As root, it runs under a lent id (`slots.py`),
which owns nothing here: the workspace is mounted once more with its ids mapped, below a folder only root can enter, and
the engine is told to use that. Where ids cannot be mapped, or the engine cannot see the mount, the files change hands
while the sandbox is open.
"""

from __future__ import annotations

import contextlib
import os
from contextlib import ExitStack
from pathlib import Path

from hybrid_agent.errors import SandboxError
from hybrid_agent.tools.sandbox import staging
from hybrid_agent.tools.sandbox.disk import give_to
from hybrid_agent.tools.sandbox.slots import FIRST_ID, Slot, is_real_root, lend_slot

MOUNTS = Path("/run/hybrid-agent-mounts")


class Share:
    """The workspace of one sandbox. `source` is the path the engine is told, `builds` counts its changes."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.source = str(workspace)
        self.builds = 0
        self.slot: Slot | None = lend_slot() if is_real_root() else None
        self._folder: tuple[int, int] | None = None
        self._owner = (0, 0)
        self._mapped: Path | None = None
        self._may_map = True

    @property
    def user(self) -> tuple[int, int]:
        """User and group id of the container."""
        return (self.slot.uid, self.slot.uid) if self.slot else (os.geteuid(), os.getegid())

    @property
    def mapped(self) -> bool:
        """Whether ids are mapped by a mount of our own."""
        return self._mapped is not None

    def settle(self) -> int:
        """Get the workspace ready for a call; the number returned changes when containers must be started anew.

        Raises:
            SandboxError: the workspace is gone.
        """
        try:
            now = self.workspace.stat()
        except OSError as error:
            raise SandboxError(f"the workspace is gone: {error}") from None
        folder, owner = (now.st_dev, now.st_ino), (now.st_uid, now.st_gid)
        if folder != self._folder or (self.mapped and owner != self._owner):
            self._give_back()
            self._folder, self._owner = folder, owner
            self.builds += 1
            if self.slot is not None and self._may_map:
                self._mapped = _mount_mapped(self.workspace, owner, self.slot.uid)
                self.source = str(self._mapped or self.workspace)
        if self.slot is not None:
            if self._mapped is None:
                give_to(self.workspace, self.slot.uid, self.slot.uid)
            elif now.st_uid != 0:
                give_to(self.workspace, now.st_uid, now.st_gid, only_from=0)
        return self.builds

    def seen(self, owner: int, inode: int) -> bool:
        """Check what the container saw of its workspace; False: it must be started anew, under another arrangement.

        Raises:
            SandboxError: the engine does not see this machine's files.
        """
        if inode == self.workspace.stat().st_ino and (owner == self.user[0] or not self.mapped):
            return True
        if not self.mapped:
            raise SandboxError("the container engine sees other files than this machine; it must run here")
        self._may_map, self._folder = False, None
        return False

    def close(self) -> None:
        """Undo mounts and changes of owner, free the user id."""
        self._give_back()
        if self.slot is not None:
            self.slot.close()

    def _give_back(self) -> None:
        if self._mapped is not None:
            _unmount(self._mapped)
            self._mapped, self.source = None, str(self.workspace)
        elif self.slot is not None and self._folder is not None:
            uid, gid = (0, 0) if self._owner[0] >= FIRST_ID else self._owner  # the former: a harness that was killed
            with contextlib.suppress(OSError):
                give_to(self.workspace, uid, gid, only_from=self.slot.uid)


def _mount_mapped(workspace: Path, owner: tuple[int, int], slot: int) -> Path | None:
    """Mount the workspace with `owner` shown as `slot`; None where that cannot be done."""
    place = MOUNTS / str(slot)
    try:
        MOUNTS.mkdir(mode=0o700, exist_ok=True)
        _unmount(place)  # left by a harness that was killed: the id is ours now
        place.mkdir()
        with ExitStack() as stack:
            tree = staging.clone(workspace, stack)
            if not staging.map_ids(tree, owner, slot):
                place.rmdir()
                return None
            staging.attach(tree, str(place))
    except OSError:
        with contextlib.suppress(OSError):
            place.rmdir()
        return None
    return place


def _unmount(place: Path) -> None:
    with contextlib.suppress(OSError):
        staging.detach(str(place))
    with contextlib.suppress(OSError):
        place.rmdir()
