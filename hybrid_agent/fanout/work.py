"""The words of this package: what a worker is prepared with, what comes back, and what a kind of workers can do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")

Start = Callable[[], AbstractContextManager[Callable[[Item], Value]]]
"""Prepares a worker (loads a model, builds a jail) and gives what it does with one item; its exit cleans up.

It is sent to the workers, so it must be picklable: a module's function, or `functools.partial` of one.
"""


@dataclass(frozen=True)
class Outcome(Generic[Item, Value]):
    """What became of an item.

    Attributes:
        at: its place in the sequence that was given.
        item: itself.
        value: its result; None if it was lost.
        lost: why there is no result; None if there is one.
        tries: how often it was begun, copies of stragglers not counted.
        worker: where the result was made: `host:pid`.
    """

    at: int
    item: Item
    value: Value | None = None
    lost: str | None = None
    tries: int = 1
    worker: str = ""


@dataclass(frozen=True)
class Event:
    """What a worker reports, or what is found out about it.

    `ready`: it takes items; `value` names its place. `done`: `value` is the result. `failed`: `value` is the
    exception, which is a mistake of ours or of a person, so it ends all. `died`: `value` says how.
    """

    worker: int
    kind: Literal["ready", "done", "failed", "died"]
    value: Any = None


class Workers(Protocol):
    """Worker processes, by number. One item at a time each."""

    def add(self) -> int:
        """Start one more; it reports `ready`."""
        ...

    def give(self, worker: int, item: Any) -> None:
        """Let a ready worker do an item."""
        ...

    def wait(self, seconds: float | None) -> list[Event]:
        """Events since the last call, after at most so many seconds (None: until there is one)."""
        ...

    def close(self) -> None:
        """End all of them: those without work in an orderly way, the others at once."""
        ...
