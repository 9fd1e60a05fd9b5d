"""Where a run is, from what is on disk: for a gateway that starts after another was killed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.types import Trace
from services.gateway.events import ApprovalData, RunData
from services.gateway.journal import read_events


@dataclass
class Progress:
    """What a run's journal says.

    Attributes:
        events: how many there are.
        steps: steps that were told of.
        approvals: questions asked so far.
        open: those without an answer.
        fruitless: how often it was begun or picked up since its last step.
        last: its state.
        created: when it was queued, Unix seconds.
    """

    events: int = 0
    steps: int = 0
    approvals: int = 0
    open: list[ApprovalData] = field(default_factory=list)
    fruitless: int = 0
    last: RunData | None = None
    created: float = 0.0


def progress(journal: Path) -> Progress:
    """Read a journal."""
    found = Progress()
    asked: dict[str, ApprovalData] = {}
    waiting = False
    for event in read_events(journal):
        found.events = event.id
        found.created = found.created or event.at
        if event.type == "step":
            found.steps, found.fruitless = found.steps + 1, 0
        elif event.type == "approval":
            data = ApprovalData.model_validate(event.data)
            asked.pop(data.approval, None)
            if data.state == "asked":
                asked[data.approval] = data
                found.approvals += 1
        elif event.type == "run":
            found.last = RunData.model_validate(event.data)
            # "running" is also said after a question was answered: that is no new life.
            found.fruitless += found.last.state == "running" and not waiting
            waiting = found.last.state == "waiting"
    found.open = list(asked.values())
    return found


def finished(run: RunDir) -> Trace | None:
    """The run's trace, if the loop came to its end (and only the journal does not say so)."""
    trace = read_trace(run.trace) if run.trace.exists() else None
    return trace if trace is not None and trace.result is not None else None
