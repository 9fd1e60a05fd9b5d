"""A comparable picture of a whole folder: content, modes, link targets, empty folders."""

from __future__ import annotations

import os
from pathlib import Path

from hybrid_agent.tools.scan import hash_file, scan


def tree_digest(path: Path) -> dict[str, str]:
    """{relative path: "kind mode content"} of every entry below `path`, following no link.

    Two folders are the same if their digests are equal. Times and owners are not part of it; hard links are, as the
    number of the group that a file belongs to.
    """
    fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        tree = scan(fd, hash_file)
    finally:
        os.close(fd)
    return {
        name: f"{entry.kind} {entry.mode:04o} {entry.content}" + (f" #{entry.group}" if entry.group else "")
        for name, entry in tree.items()
    }
