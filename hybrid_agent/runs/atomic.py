"""Files that are either there in full or not there at all, whenever the process dies."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def write_atomic(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, then put it in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Processes of several machines may write the same file on a shared disk.
    temp = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}.tmp")
    try:
        write(temp)
        with temp.open("rb") as handle:
            os.fsync(handle.fileno())
        temp.replace(path)
    finally:
        temp.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically (UTF-8)."""
    data = text.encode()
    write_atomic(path, lambda temp: _put(temp, data))


def write_json(path: Path, value: Any) -> None:
    """Write JSON for people and programs, atomically."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n")


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write text line by line (UTF-8, through gzip if the name ends in .gz), atomically; returns how many lines.

    Equal lines give equal bytes.
    """
    count = 0

    def write(temp: Path) -> None:
        nonlocal count
        # No name and no time in the header.
        with temp.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) if path.suffix == ".gz" else raw as out:
            for line in lines:
                out.write(line.encode() + b"\n")
                count += 1

    write_atomic(path, write)
    return count


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _put(temp: Path, data: bytes) -> None:
    temp.write_bytes(data)
