"""How a family of tasks is written down: intents, their wordings, and a builder of concrete scenes.

An *intent* is one thing a person may ask for ("make a symbolic link"). It has wordings for training and
other, independent wordings that only validation or test tasks use. `build(draw)` makes one concrete
scene: the values, the starting files, the gold calls and the checks.

Wording patterns: `{slot}` is filled from the scene, `[a|b|c]` picks one alternative, `[a|]` may be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hybrid_agent.packs.draw import Draw
from hybrid_agent.types import Check, SetupItem


@dataclass(frozen=True)
class Slot:
    """A value as it appears in a goal. `name`s may be written bare, quoted or in backticks; `text` is
    always quoted; `plain` is written as it is."""

    kind: Literal["name", "text", "plain"]
    value: str


def name(value: str) -> Slot:
    """A path, file name, identifier or other copyable word."""
    return Slot("name", value)


def text(value: str) -> Slot:
    """A quoted phrase (may hold spaces; must not hold quotes or newlines)."""
    return Slot("text", value)


def plain(value: str | int) -> Slot:
    """A number, a mode, or words that are written without quotes."""
    return Slot("plain", str(value))


@dataclass(frozen=True)
class Scene:
    """One concrete step.

    `gold` are the calls that solve it, as `{"tool":..., "args":{...}}` with args in schema order, including any call
    that fails on the way to a recovery. `done` is the agent's own check that it emits when it believes the step
    is done; `checks` are the judge's (they should be at least as strict and cover side effects).
    """

    slots: Mapping[str, Slot]
    gold: Sequence[Mapping[str, Any]]
    done: Check
    checks: Sequence[Check]
    setup: Sequence[SetupItem] = ()
    destructive: bool = False


@dataclass(frozen=True)
class Intent:
    """One askable thing. Needs >= 7 `train`, >= 1 `val` and >= 3 `held` wordings, independent of each other.

    Every content word of a `val`/`held` wording should occur in some train wording of the same pack (other intents
    count), so that the test asks for recombination and not for unseen vocabulary. `solo` intents are never
    combined with others in one goal; `cells` says that build() draws from `draw.cell`, so that the
    intent takes part in `test_composition` on its own.
    """

    family: str
    name: str
    train: Sequence[str]
    val: Sequence[str]
    held: Sequence[str]
    build: Callable[[Draw], Scene]
    solo: bool = False
    cells: bool = False
    weight: float = 1.0
    tags: Sequence[str] = field(default_factory=tuple)
