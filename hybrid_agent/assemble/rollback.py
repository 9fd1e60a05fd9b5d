"""Putting the workspace of a finished, stopped or killed run back."""

from __future__ import annotations

from pathlib import Path

from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.errors import InputError
from hybrid_agent.tools.snapshot import SnapshotStore


def roll_back(run: RunDir, to: str | None = None) -> str | None:
    """Restore the run's workspace; returns the snapshot, or None if the run changed nothing.

    Args:
        run: the run directory.
        to: snapshot id; None means the state before the run changed anything.

    Raises:
        InputError: the run is still going, the workspace is gone, or there is no such snapshot.
    """
    workspace = Path(run.info().workspace)
    with run.lock():
        if not workspace.is_dir():
            raise InputError(
                "the workspace is gone", where=str(workspace), fix=f"make the folder again: mkdir {workspace}"
            )
        if not run.state.is_dir():
            return None
        store = SnapshotStore(run.state, workspace)
        snapshot = to if to is not None else store.first()
        if snapshot is not None:
            store.restore(snapshot)
        return snapshot
