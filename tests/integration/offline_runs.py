"""Reads back what W&B wrote offline, with W&B's own messages: `read_offline(folder of a run)`."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCK, HEAD = 32768, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


@dataclass
class Offline:
    """One offline run."""

    path: Path
    name: str = ""
    run_id: str = ""
    project: str = ""
    job_type: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    ended: bool = False

    def series(self, key: str) -> list[tuple[int, float]]:
        """(our step, value) wherever the figure was logged."""
        return [(int(row["step"]), row[key]) for row in self.history if key in row]


def read_offline(folder: Path) -> list[Offline]:
    """The offline runs below a run's directory, oldest first."""
    return [_read(path) for path in sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))]


def _read(path: Path) -> Offline:
    from wandb.proto.wandb_internal_pb2 import Record

    found = Offline(path)
    for data in _records(path.read_bytes()):
        record = Record.FromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            found.name, found.run_id, found.project, found.job_type = (
                run.display_name,
                run.run_id,
                run.project,
                run.job_type,
            )
            found.config |= {item.key: json.loads(item.value_json) for item in run.config.update}
        elif kind == "history":
            items = record.history.item
            found.history.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
        elif kind == "summary":
            for item in record.summary.update:
                found.summary[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        elif kind == "exit":
            found.ended = True
    return found


def _records(data: bytes) -> Iterator[bytes]:
    """The records of a log in LevelDB's format, every checksum held."""
    assert data[:4] == b":W&B" and struct.unpack("<H", data[4:6])[0] == 0xBEE1
    at, parts = HEAD, b""
    while at + HEAD <= len(data):
        if BLOCK - at % BLOCK < HEAD:
            at += BLOCK - at % BLOCK
            continue
        crc, size, kind = struct.unpack("<IHB", data[at : at + HEAD])
        if kind == 0:
            break
        body = data[at + HEAD : at + HEAD + size]
        assert zlib.crc32(bytes([kind]) + body) == crc
        at += HEAD + size
        parts = parts + body if kind in (MIDDLE, LAST) else body
        if kind in (FULL, LAST):
            yield parts


def watched(folder: Path, stage: str, *figures: str, table: str = "samples") -> Offline | None:
    """The one offline run of a stage's attempt; asserts that it ended with these figures and a table.

    None where wandb is not installed: a stage goes on without.
    """
    try:
        import wandb  # noqa: F401
    except ImportError:
        return None
    (found,) = read_offline(folder)
    logged = {key for row in found.history for key in row}
    assert found.ended and found.job_type == stage and found.name == "/".join(folder.parts[-3:])
    assert set(figures) <= logged
    assert found.summary[f"tables/{table}/nrows"] > 0
    assert (folder / "tables" / f"{table}.json").is_file() and found.config
    return found
