"""Stored file contents, named by their SHA-256, one after the other in one file.

Making a file for each content would cost more than everything else in a snapshot. Bytes only count once a
snapshot's list, which is written after them, says where they are; a killed process leaves some unused bytes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.scan import opened, stamp_of

CHUNK = 1 << 20
RECENT_NS = 20_000_000  # a file touched this recently could change again within one tick of its clock
Stamp = tuple[int, int, int, int, int]
Spot = tuple[int, int]  # offset and size


class Objects:
    """The store of one run; also a `scan.Reader` that stores what it hashes.

    A file whose inode, size, mtime and ctime are those of an earlier read is neither read nor copied again.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self.read_bytes = 0  # what had to be read; for measurements
        self._seen: dict[Stamp, str] = {}
        self._spots: dict[str, Spot] = {}
        self._left = max_bytes
        self._now = 0

    def begin(self) -> None:
        """Start of a scan."""
        self._left = self.max_bytes
        self._now = time.time_ns()

    def load(self, spots: Mapping[str, Spot], seen: Iterable[tuple[Stamp, str]] = ()) -> None:
        """Take over what a snapshot of an earlier process says."""
        self._spots.update(spots)
        self._seen.update(seen)

    def spot(self, digest: str) -> Spot:
        """Where the content is in the file."""
        return self._spots[digest]

    def copy_to(self, digest: str, target: int) -> None:
        """Write a content to an open, empty file."""
        offset, left = self._spots[digest]
        source = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while left > 0:
                sent = os.sendfile(target, source, offset, left)
                if sent == 0:
                    raise OSError("the stored contents are cut short")
                offset, left = offset + sent, left - sent
        finally:
            os.close(source)

    def __call__(self, folder: int, name: str, status: os.stat_result) -> str:
        """Hash a file and make sure its content is stored."""
        self._left -= status.st_size
        if self._left < 0:
            raise ToolFailure(f"the workspace holds more than {self.max_bytes >> 20} MB; it cannot be saved")
        stamp = stamp_of(status)
        found = self._seen.get(stamp)
        if found is not None:
            return found
        with opened(folder, name) as fd:
            digest = self._store(fd)
        if status.st_ctime_ns < self._now - RECENT_NS:
            self._seen[stamp] = digest
        return digest

    def _store(self, fd: int) -> str:
        head = os.read(fd, CHUNK)
        if len(head) < CHUNK:
            self.read_bytes += len(head)
            digest = hashlib.sha256(head).hexdigest()
            if digest in self._spots:
                return digest
        out = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(out, fcntl.LOCK_EX)
            begin = os.lseek(out, 0, os.SEEK_END)
            digest, size = self._append(out, fd, head)
            if digest in self._spots:
                os.ftruncate(out, begin)
            else:
                self._spots[digest] = (begin, size)
        finally:
            os.close(out)
        return digest

    def _append(self, out: int, fd: int, head: bytes) -> tuple[str, int]:
        hasher, size, chunk = hashlib.sha256(), 0, head
        while chunk:
            size += len(chunk)
            if size > self.max_bytes:  # it grows while we read
                raise ToolFailure(f"a file is larger than {self.max_bytes >> 20} MB; it cannot be saved")
            hasher.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(out, view) :]
            if len(chunk) < CHUNK:
                break
            chunk = os.read(fd, CHUNK)
            self.read_bytes += len(chunk)
        return hasher.hexdigest(), size
