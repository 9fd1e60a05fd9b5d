"""What a classic function is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hybrid_agent.packs.draw import Draw

Args = tuple[Any, ...]


@dataclass(frozen=True)
class Shape:
    """One classic. `docs` are sentences (the last but one is for `val`, the last for held-out wordings).

    `bugs` pair a line's text with a wrong one. Templates use the parameters `{p}`, `{q}` and the
    drawn number `{n}`.
    """

    key: str
    params: tuple[str, ...]
    docs: tuple[str, ...]
    body: str
    bugs: tuple[tuple[str, str], ...]
    answer: Callable[..., Any]
    inputs: Callable[[Draw, int], list[Args]]


def ints(draw: Draw, low: int = -9, high: int = 20, size: int = 5) -> list[int]:
    """Random numbers."""
    return [draw.number(low, high) for _ in range(size)]
