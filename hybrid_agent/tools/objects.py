"""Stored file contents, named by their SHA-256. A half-written object never carries a final name."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from pathlib import Path

from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.scan import opened, stamp_of

SMALL = 1 << 20
RECENT_NS = 20_000_000  # a file touched this recently could change again within one tick of its clock


class Objects:
    """The store of one run; also a `scan.Reader` that stores what it hashes.

    A file whose inode, size, mtime and ctime are those of an earlier read is neither read nor copied again.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.read_bytes = 0  # what had to be read; for measurements
        self._known: dict[tuple[int, int, int, int, int], str] = {}
        self._stored: set[str] = set()
        self._left = max_bytes
        self._now = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def begin(self) -> None:
        """Start of a scan."""
        self._left = self.max_bytes
        self._now = time.time_ns()

    def remember(self, stamp: tuple[int, int, int, int, int], digest: str) -> None:
        """Take over what an earlier process knew, if the object is still here."""
        if digest in self._stored or self.path(digest).exists():
            self._stored.add(digest)
            self._known[stamp] = digest

    def path(self, digest: str) -> Path:
        """Where the content with this hash is."""
        return self.folder / digest

    def __call__(self, folder: int, name: str, status: os.stat_result) -> str:
        """Hash a file and make sure its content is stored."""
        self._left -= status.st_size
        if self._left < 0:
            raise ToolFailure(f"the workspace holds more than {self.max_bytes >> 20} MB; it cannot be saved")
        stamp = stamp_of(status)
        found = self._known.get(stamp)
        if found is not None:
            return found
        with opened(folder, name, status) as fd:
            digest = self._store(fd, status.st_size)
        if status.st_ctime_ns < self._now - RECENT_NS:
            self._known[stamp] = digest
        return digest

    def _store(self, fd: int, size: int) -> str:
        data = os.read(fd, SMALL + 1) if size <= SMALL else b""
        if len(data) > SMALL or size > SMALL:
            return self._store_big(fd, data)
        self.read_bytes += len(data)
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._stored:
            target = self.path(digest)
            if not target.exists():
                fresh = self.folder / f"tmp-{secrets.token_hex(8)}"
                fresh.write_bytes(data)
                fresh.rename(target)
            self._stored.add(digest)
        return digest

    def _store_big(self, fd: int, head: bytes) -> str:
        hasher = hashlib.sha256(head)
        fresh = self.folder / f"tmp-{secrets.token_hex(8)}"
        try:
            with fresh.open("wb") as out:
                out.write(head)
                total = len(head)
                while chunk := os.read(fd, SMALL):
                    total += len(chunk)
                    if total > self.max_bytes:  # it grows while we read
                        raise ToolFailure(f"a file is larger than {self.max_bytes >> 20} MB; it cannot be saved")
                    hasher.update(chunk)
                    out.write(chunk)
            self.read_bytes += total
            digest = hasher.hexdigest()
            fresh.rename(self.path(digest))
        finally:
            fresh.unlink(missing_ok=True)
        self._stored.add(digest)
        return digest
