"""What memory keeps: notes, skills, and the states they walk through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from hybrid_agent.types import Record

Kind = Literal["note", "skill"]
Status = Literal["candidate", "scanned", "quarantined", "promoted", "rejected", "archived"]

# From each state to the states that may follow it. Only `promoted` is ever retrieved.
NEXT: Mapping[Status, tuple[Status, ...]] = {
    "candidate": ("scanned", "rejected", "archived"),
    "scanned": ("quarantined", "rejected", "archived"),
    "quarantined": ("promoted", "rejected", "archived"),
    "promoted": ("quarantined", "archived", "rejected"),
    "rejected": ("archived",),
    "archived": (),
}


class Slot(Record):
    """A part of a skill's goal that may differ: `kind` says what may stand there, `example` what stood there."""

    kind: Literal["path", "word", "number", "text"]
    example: str


class SkillCall(Record):
    """One call of a skill. `args` hold marks in place of slots; None: the call depends on what is seen, so the decoder
    writes it. `step` is the plan's step it belongs to; -1 stands for the plan itself."""

    tool: str
    args: dict[str, Any] | None
    step: int


class Skill(Record):
    """What was wanted (`intent` as typed, `shape` with marks for slots), the plan that did it, and how it ended."""

    intent: str
    shape: str
    slots: tuple[Slot, ...]
    steps: tuple[str, ...]
    calls: tuple[SkillCall, ...]
    outcome: str = "success"


class Entry(Record):
    """One memory as it is stored. Times are Unix seconds.

    `version` counts changes of what it says or of its state; `reason` says why it is in that state; `held` that a scan
    found something, so that only a person can promote it. `strength` is a skill's plasticity.
    """

    id: int
    kind: Kind
    text: str
    domain: str
    status: Status
    version: int
    created: float
    used: float
    expires: float
    uses: int = 0
    wins: int = 0
    losses: int = 0
    strength: float = 1.0
    held: bool = False
    reason: str = ""
    provenance: dict[str, str] = Field(default_factory=dict)
    skill: Skill | None = None


class Hit(Record):
    """A retrieved entry with its score and the four factors of it."""

    entry: Entry
    score: float
    similarity: float
    freshness: float
    success: float
    domain: float


class Change(Record):
    """One line of an entry's history: what it was at version `version`, and why it came to be that."""

    entry: int
    version: int
    at: float
    why: str
    status: Status
    text: str


class Scanned(Record):
    """What a scan made of a text: secrets cut out, and what was found that holds it back."""

    text: str
    secrets: bool = False
    problems: tuple[str, ...] = ()
