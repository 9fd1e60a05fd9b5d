"""Going on with an episode whose process was killed, without doing anything twice.

A step is on disk once its call has come back; before a call that may change something acts, its number and the snapshot
taken for it are. After a kill they tell whether a call was in flight: then restoring that snapshot takes back whatever
it had done, and the loop decides on it anew.
"""

from __future__ import annotations

import json
from pathlib import Path

from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.errors import InputError
from hybrid_agent.tools.redact import MARK
from hybrid_agent.tools.snapshot import SnapshotStore
from hybrid_agent.tools.toolbox import ACTING
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.types import Step


def pick_up(run: RunDir) -> tuple[Step, ...]:
    """Bring the workspace to where the stored steps left it; returns them, for `Agent.run(done=...)`.

    Raises:
        InputError: the trace has ended or is damaged, secrets were cut out of it, or the workspace is gone.
        SandboxError: the snapshot is damaged.
    """
    steps = stored_steps(run)
    workspace = Path(run.info().workspace)
    if not workspace.is_dir():
        raise InputError("the workspace is gone", where=run.run_id)
    store = SnapshotStore(run.state, workspace)
    before = in_flight(run, steps)
    if before is not None:
        store.restore(before)
    return steps


def stored_steps(run: RunDir) -> tuple[Step, ...]:
    """The steps of an episode that has not ended, if it can be gone on with; the workspace is left alone.

    Raises:
        InputError: the trace has ended or is damaged, or secrets were cut out of it.
    """
    trace = read_trace(run.trace)
    if trace.result is not None:
        raise InputError("the episode has ended", where=str(run.trace))
    if trace.goal != run.info().goal or any(MARK in step.content for step in trace.steps):
        raise InputError("secrets were cut out of the stored steps, so they cannot be followed", where=run.run_id)
    return trace.steps


def in_flight(run: RunDir, steps: tuple[Step, ...]) -> str | None:
    """The snapshot before a call that had begun to act when the process was killed; None if there was none."""
    try:
        last = json.loads((run.state / ACTING).read_text())
    except FileNotFoundError:
        return None
    acted = sum(step.snapshot is not None for step in steps)
    return str(last["snapshot"]) if last["number"] > acted else None
