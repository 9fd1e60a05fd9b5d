"""What a decoder sees."""

from __future__ import annotations

from typing import Literal

from hybrid_agent.types.record import Record


class Exchange(Record):
    """One call of the current step, with what the agent saw of its outcome."""

    call: str
    obs: str


LISTED, LISTED_DEPTH = 60, 3  # most paths of a listing of the workspace, and levels of folders


class Window(Record):
    """All that a decoder may condition on for the next call.

    `phase` is `plan` (split the goal), `step` (work on `steps[index]`) or `finish`. `files` is a
    listing of the workspace at the start of the step, capped (`LISTED`). `notes` are one-line summaries of finished
    steps. `exchanges` are the calls of the current step only: older ones are folded into notes. `barred` are clauses
    that no step may hold: as one they have led to nothing good (phase `plan` only; a constraint, not part of the text).
    """

    goal: str
    phase: Literal["plan", "step", "finish"] = "plan"
    steps: tuple[str, ...] = ()
    index: int = 0
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    barred: tuple[str, ...] = ()
