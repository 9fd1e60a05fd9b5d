"""The kinds of parts that composed functions are made of, each with code, words and meaning.

Code templates use `{x}` (the element), `{it}` (the iteration, `x * x for x in xs if x > 0`) and the drawn values
`{n}`, `{b}`, `{m}`, `{c}`, `{s}`, `{d}`. Word templates use the same values, and `{np}` for the noun phrase.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class Filter:
    """A condition on an element. `says` follows "that" ("are even"), `before` precedes the noun, `after` follows it."""

    key: str
    code: str
    says: Sequence[str]
    test: Callable[[Any, Values], bool]
    before: str = ""
    after: str = ""
    near: Sequence[str] = ()


@dataclass(frozen=True)
class Map:
    """What is done to each element."""

    key: str
    code: str
    says: Sequence[str]
    do: Callable[[Any, Values], Any]
    near: Sequence[str] = ()


@dataclass(frozen=True)
class Agg:
    """What is made of all elements. `plain` is the code when nothing is filtered or mapped (`{p}`: the iterable)."""

    key: str
    code: str
    says: Sequence[str]
    do: Callable[[list[Any], Values], Any]
    plain: str
    near: Sequence[str] = ()
    header: str = ""
    pure: bool = False  # only makes sense on unmapped elements
