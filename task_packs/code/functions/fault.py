"""What a crashing function is made of, and the inputs that such functions get (the first one crashes)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hybrid_agent.packs.draw import Draw
from task_packs.code.functions.parts import Values


@dataclass(frozen=True)
class Fault:
    """A line that crashes on the first input. `wrong` None: the import in `header` is missing instead.

    `docs`: the last is for held-out wordings, the one before for `val`. `answer` and `inputs` get the drawn values.
    """

    key: str
    params: tuple[str, ...]
    docs: tuple[str, ...]
    right: str
    wrong: str | None
    answer: Callable[..., Any]
    inputs: Callable[[Draw, Values], list[tuple[Any, ...]]]
    body: str = "{line}"
    second: str = ""
    header: str = ""


def ints(draw: Draw) -> list[int]:
    """Random numbers."""
    return [draw.number(-5, 20) for _ in range(draw.number(3, 6))]


def empty_first(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    """Lists, the first one empty."""
    return [([],), ([4, 9, 2],), (ints(draw),), ([7],), (ints(draw),)]


def none_first(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    """Lists, the first one None."""
    return [(None,), ([4, 9, 2],), (ints(draw),), ([],), (ints(draw),)]


def full(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    """Lists with two values at least."""
    return [([3, 8, 5, 6],), ([4, 4, 9],), (ints(draw),), (ints(draw),), ([1, 2],)]


def no_text(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    """Texts, the first one None."""
    return [(None,), (draw.word(),), (draw.phrase(2, 3),), ("",)]


def words(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    """Lists of words."""
    a, b, c = draw.word(), draw.word(), draw.word()
    return [([a, b, a],), ([c, b, c, c],), ([b],), ([a, c, "oak"],), ([],)]


def rows(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    """Lists of dicts, some without the drawn key."""
    k = v["k"]
    return [([{k: 4}, {"id": 1}],), ([{k: 2}, {k: v["n"]}],), ([{"id": 3}],), ([],), ([{k: -1}, {}, {k: 8}],)]


def lookups(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    """Dicts with a key that the first one lacks."""
    k = draw.word()
    return [({k: 4}, "none"), ({k: 2}, k), ({}, k), ({"id": v["n"], k: 0}, "id")]


def tables(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    """Dicts of numbers."""
    tables = [{draw.word(): draw.number(0, 12) for _ in range(size)} for size in (3, 4, 2, 3)]
    return [(t,) for t in tables] + [({},)]
