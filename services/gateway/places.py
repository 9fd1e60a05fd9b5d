"""The workspace of a run as people see it: its files, what differs, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.tools.snapshot import SnapshotStore
from services.gateway.artifacts import list_artifacts, read_artifact
from services.gateway.diffs import whole_diff
from services.gateway.events import DiffData
from services.gateway.problems import ApiError
from services.gateway.requests import ArtifactList


class Place(Protocol):
    """A workspace. All methods raise ApiError where it is gone."""

    def artifacts(self) -> ArtifactList:
        """All regular files."""
        ...

    def read(self, path: str, cap: int) -> bytes:
        """One file of at most `cap` bytes.

        Raises:
            ApiError: there is none at that path, it lies outside, or it is larger.
        """
        ...

    def diff(self) -> DiffData:
        """What differs from the start of the run."""
        ...

    def roll_back(self, to: str | None) -> str | None:
        """Restore a snapshot (None: the first); returns it, or None if nothing was ever changed.

        Raises:
            InputError: there is no such snapshot.
        """
        ...


class LocalPlace:
    """The workspace of a run directory on this machine."""

    def __init__(self, run: RunDir) -> None:
        self._state, self._workspace = run.state, Path(run.info().workspace)

    def artifacts(self) -> ArtifactList:
        """See `Place`."""
        return list_artifacts(self._workspace)

    def read(self, path: str, cap: int) -> bytes:
        """See `Place`."""
        return read_artifact(self._workspace, path, cap)

    def diff(self) -> DiffData:
        """See `Place`."""
        return whole_diff(self._state, self._workspace)

    def roll_back(self, to: str | None) -> str | None:
        """See `Place`. The caller holds the run's lock."""
        if not self._workspace.is_dir():
            raise ApiError(410, "the workspace is gone", code="gone")
        store = SnapshotStore(self._state, self._workspace)
        snapshot = to if to is not None else store.first()
        if snapshot is not None:
            store.restore(snapshot)
        return snapshot
