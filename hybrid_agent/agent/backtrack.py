"""What the attempts at a step have shown to be wrong: the next attempt goes the same way but for one call.

A failed attempt is blamed on the one of its calls that was least certain to be right, among those that changed
something or failed. The next attempt may not take that call from there; what it does instead is chosen as ever, among
more candidates. This is limited discrepancy search (Harvey and Ginsberg, 1995) with a discrepancy an attempt, placed
by the models' own doubt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hybrid_agent.types import Segment, Window

Place = tuple[str, ...]  # the calls of the step so far


@dataclass(frozen=True)
class _Made:
    place: Place
    text: str
    acted: bool
    certainty: float


class Backtrack:
    """The calls of the attempts at one step."""

    def __init__(self) -> None:
        self._made: list[_Made] = []
        self._wrong: dict[Place, set[str]] = {}

    def note(self, window: Window, text: str, *, acted: bool, certainty: float) -> None:
        """Remember a call of the present attempt.

        Args:
            window: it was chosen in.
            text: as stored (`window.call_text`).
            acted: it changed something, or failed; what only looked is not to blame.
            certainty: how sure it was to be right, 0 to 1.
        """
        self._made.append(_Made(_place(window), text, acted, certainty))

    def restart(self) -> None:
        """The attempt has failed: blame one of its calls."""
        suspects = [made for made in self._made if made.acted] or self._made[-1:]
        if suspects:
            least = min(suspects, key=lambda made: made.certainty)
            self._wrong.setdefault(least.place, set()).add(least.text)
        self._made = []

    def wrong(self, window: Window) -> frozenset[str]:
        """Calls that failed attempts are blamed on, at this place."""
        return frozenset(self._wrong.get(_place(window), ()))

    def clear(self) -> None:
        """The step is done."""
        self._made, self._wrong = [], {}


def certainty(segment: Segment) -> float:
    """The energy model's calibrated probability, else the decoder's own, of the whole call."""
    return segment.p if segment.p is not None else math.exp(min(0.0, segment.logprob))


def _place(window: Window) -> Place:
    return tuple(exchange.call for exchange in window.exchanges)
