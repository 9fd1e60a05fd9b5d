"""What a phase stores: groups of tries at the same thing, with what became of each."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from hybrid_agent.runs.atomic import write_atomic
from hybrid_agent.traces.contexts import Label
from hybrid_agent.types import Record, Window

Unit = Literal["segment", "episode"]
MASKED: tuple[Label, ...] = ("flaky", "infra_failure")


class Piece(Record):
    """One call as the policy wrote it: its window (index into the group's) and its tokens, without the end token.

    `logprob` is the engine's own sum over choices at temperature 1 (nats). `complete` is False for a text that ran
    out of tokens: no loss is taken of it.
    """

    window: int
    tokens: tuple[int, ...]
    logprob: float
    complete: bool = True


class Rollout(Record):
    """One try. `count` says how many tries were equal to it.

    `own` is what the try can see of success itself, `held_out` the checks that it never sees; both are None where
    they were not evaluated. `cost` counts forward passes. `energy` is the scorer's (mean over the calls).
    """

    pieces: tuple[Piece, ...]
    count: int = 1
    label: Label
    own: bool | None = None
    held_out: bool | None = None
    cost: float = 0.0
    energy: float | None = None
    detail: str = ""

    @property
    def passed(self) -> bool:
        """It did what was asked, by the held-out check too."""
        return self.label == "pass" and self.held_out is not False

    @property
    def masked(self) -> bool:
        """It says nothing about the policy: the machinery failed, chance decided, or the text was cut short."""
        return self.label in MASKED or not all(piece.complete for piece in self.pieces)


class Group(Record):
    """Tries at one thing: a turn of a task (`kind` plan, act, done, finish or ask) or a whole episode.

    `greedy` says whether the greedy try passes (None: not known).
    """

    id: str
    task_id: str
    pack: str
    level: int
    intents: tuple[str, ...]
    unit: Unit
    kind: str
    windows: tuple[Window, ...]
    rollouts: tuple[Rollout, ...]
    greedy: bool | None = None

    @property
    def counted(self) -> list[Rollout]:
        """Those that say something."""
        return [rollout for rollout in self.rollouts if not rollout.masked]

    @property
    def pass_rate(self) -> float | None:
        """Share of passing tries; None if none counts."""
        tries = sum(r.count for r in self.counted)
        return sum(r.count for r in self.counted if r.passed) / tries if tries else None

    def informative(self, low: float, high: float) -> bool:
        """Some tries pass and some do not, within the limits."""
        rate = self.pass_rate
        return rate is not None and 0 < rate < 1 and low <= rate <= high


def write_groups(path: Path, groups: Iterable[Group]) -> None:
    """Write a shard: complete, or not there."""
    text = "".join(group.model_dump_json(exclude_defaults=True) + "\n" for group in groups)
    data = gzip.compress(text.encode(), 6, mtime=0)

    def put(temp: Path) -> None:
        temp.write_bytes(data)

    write_atomic(path, put)


def read_groups(path: Path) -> Iterator[Group]:
    """Read a shard."""
    for line in gzip.decompress(path.read_bytes()).splitlines():
        yield Group.model_validate_json(line)
