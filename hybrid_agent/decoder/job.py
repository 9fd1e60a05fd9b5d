"""One caller's text in a batch: what it asked for, how far it is, and what passes between its thread and the loop's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import NamedTuple

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.kv import Bias, KVModel
from hybrid_agent.decoder.live import Live
from hybrid_agent.decoder.row import Draft, Row, Sampling
from hybrid_agent.decoder.slots import Logits
from hybrid_agent.decoder.speculate import Shift

Ends = list[tuple[int, Draft]]


class Ended(NamedTuple):
    """Candidates that ended at one step. The other rows stand still until the caller's answer."""

    drafts: Ends


class Partial(NamedTuple):
    """How far a candidate is."""

    number: int
    tokens: list[int]


class Done(NamedTuple):
    """The end: those that ended last, all drafts by candidate, tokens of all rows and how many of them were forced;
    or the logits, where only these were wanted."""

    ended: Ends
    drafts: list[Draft]
    spent: tuple[int, int]
    logits: Logits | None = None


class Failed(NamedTuple):
    """The end of a job that could not be done."""

    error: BaseException


Event = Ended | Partial | Done | Failed


@dataclass
class Line:
    """A row and its place in the cache."""

    row: Row
    slot: int


@dataclass(eq=False)
class Job:
    """One call.

    Attributes:
        owner: the model as its cached rows are known by; `model` is the same as the pool works with it.
        told: the caller wants to hear of each candidate as it ends, and may stop the rest.
        only_logits: nothing is written, the logits after the prompt are wanted.
        start: texts that are written in part, one a candidate; their tokens are no part of the prompt.
        lines: rows being written; `ended` those that are not any more.
        begun: it has been given rows.
        held: waits for the caller's answer.
        over: nothing more happens to it.
    """

    prompt: list[int]
    how: Sampling
    owner: KVModel
    model: KVModel
    constraint: Callable[[], Matcher] | None = None
    bias: Bias | None = None
    shift: Shift | None = None
    live: Live | None = None
    told: bool = False
    only_logits: bool = False
    start: tuple[Draft, ...] = ()
    lines: list[Line] = field(default_factory=list)
    ended: list[Row] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)
    begun: bool = False
    held: bool = False
    over: bool = False
    mailbox: SimpleQueue[Event] = field(default_factory=SimpleQueue)

    @property
    def needs(self) -> int:
        """Rows of the cache that it may still ask for."""
        return sum(len(line.row.candidates) - 1 for line in self.lines) if self.begun else self.how.k

    def spent(self) -> tuple[int, int]:
        """Tokens of all rows, and how many of them were forced."""
        rows = [*self.ended, *self.dropped, *(line.row for line in self.lines)]
        written = [(len(row.candidates), row.draft) for row in rows]
        return sum(n * len(d.tokens) for n, d in written), sum(n * d.forced for n, d in written)

    def drafts(self) -> list[Draft]:
        """Those that ended, by candidate."""
        found = {c.index: row.draft for row in self.ended for c in row.candidates}
        return [found[index] for index in sorted(found)]
