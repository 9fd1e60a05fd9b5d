"""Checkpoints of a run in progress: `ckpt-STEP.pt`, complete or absent, the newest two kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch

from hybrid_agent.runs.atomic import write_atomic

_FILE = re.compile(r"^ckpt-(\d+)\.pt$")
KEEP = 2


def checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    found = [f for f in folder.iterdir() if _FILE.match(f.name)] if folder.is_dir() else []
    return sorted(found, key=lambda f: int(_FILE.match(f.name).group(1)))  # type: ignore[union-attr]


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write a checkpoint, then drop all but the newest two."""
    path = folder / f"ckpt-{step}.pt"
    write_atomic(path, lambda temp: torch.save(state, temp))
    for old in checkpoints(folder)[:-KEEP]:
        old.unlink()
    return path


def load_newest(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint's state, or None if there is none yet."""
    found = checkpoints(folder)
    return torch.load(found[-1], map_location="cpu", weights_only=True) if found else None
