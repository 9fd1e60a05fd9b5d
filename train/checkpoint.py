"""Checkpoints of a run in progress, complete or not seen, the newest two kept.

`ckpt-STEP.pt` is one file. `ckpt-STEP/` holds a file of each rank and is complete once its marker, written last, is
there.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import torch

from hybrid_agent.runs.atomic import write_atomic

_NAME = re.compile(r"^ckpt-(\d+)(\.pt)?$")
KEEP = 2
MARKER = "complete.json"


def checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted((path for path in _all(folder) if path.is_file() or (path / MARKER).is_file()), key=_step)


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write a checkpoint as one file, then drop all but the newest two."""
    path = folder / f"ckpt-{step}.pt"
    write_atomic(path, lambda temp: torch.save(state, temp))
    prune(folder)
    return path


def load_newest(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint's state (of one file), or None if there is none yet."""
    found = [path for path in checkpoints(folder) if path.is_file()]
    return torch.load(found[-1], map_location="cpu", weights_only=True) if found else None


def prune(folder: Path) -> None:
    """Drop all but the newest two, and what was left incomplete before the newest."""
    complete = checkpoints(folder)
    for path in _all(folder):
        if path not in complete[-KEEP:] and _step(path) <= _step(complete[-1]):
            remove(path)


def remove(path: Path) -> None:
    """Drop one checkpoint; its marker goes first."""
    (path if path.is_file() else path / MARKER).unlink(missing_ok=True)
    if path.is_dir():
        shutil.rmtree(path)


def _all(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _NAME.match(path.name)] if folder.is_dir() else []


def _step(path: Path) -> int:
    return int(path.stem.removeprefix("ckpt-"))
