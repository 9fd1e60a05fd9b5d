"""What a run has changed, in a size that a page can show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hybrid_agent.tools.snapshot import SnapshotStore
from services.gateway.events import DiffData, FileDiff
from services.workspace import DIFF_FILES, FileChange, differences

MOST = 400_000  # characters of all diffs together


def whole_diff(state: Path, workspace: Path) -> DiffData:
    """The workspace against the first snapshot of the run; nothing if there is none: then nothing was changed.

    Raises:
        SandboxError: the workspace is gone.
    """
    store = SnapshotStore(state, workspace)
    first = store.first()
    return told(differences(store, first)) if first is not None else DiffData(files=())


def told(found: Sequence[FileChange]) -> DiffData:
    """The changes as an event; diffs beyond the limit are left out, the files are still named."""
    left, files, cut = MOST, [], len(found) >= DIFF_FILES
    for change in found:
        fits = len(change.diff) <= left
        left -= len(change.diff) if fits else 0
        cut |= not fits
        files.append(FileDiff(path=change.path, kind=change.kind, diff=change.diff if fits else ""))
    return DiffData(files=tuple(files), cut=cut)
