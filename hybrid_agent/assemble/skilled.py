"""A decoder that offers what a skill knows before the real one is asked.

A skill's call is one more candidate: the scorer may prefer another, the energy veto and the gate stop it like any call,
and the trace shows it with `expert` "skill:ID". It is offered once; the moment something goes otherwise than when the
skill was learned, the real decoder goes on alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hybrid_agent.decoder.watching import told
from hybrid_agent.memory.binding import Bound
from hybrid_agent.memory.hot import fold
from hybrid_agent.protocols import Decoder
from hybrid_agent.types import Budget, Control, Segment, ToolCall, Window

PREFIX = "skill:"


class SkilledDecoder:
    """Implements `hybrid_agent.protocols.Decoder`; one for each episode.

    Args:
        decoder: the real one.
        bound: a skill's calls for the goal, if one fits.
        skill: its id in memory.
        hot_chars: size of a window above which the real decoder sees it folded.

    Attributes:
        offered: texts of the skill's calls that were offered.
        failed: a call of the skill came back with an error or a refusal.
    """

    def __init__(self, decoder: Decoder, bound: Bound | None, skill: int, hot_chars: int) -> None:
        self._decoder, self._bound, self._skill, self._hot_chars = decoder, bound, skill, hot_chars
        self._asked: set[tuple[str, int, int]] = set()
        self._own = False  # the last answer was the skill's alone
        self.offered: list[str] = []
        self.failed = False

    @property
    def spent(self) -> tuple[int, int] | None:
        """Tokens and forced tokens of the last proposal, where the real decoder counts them."""
        return (0, 0) if self._own else getattr(self._decoder, "spent", None)

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """The skill's call, alone if one candidate is wanted, beside the decoder's if several are."""
        text = self._next(window)
        self._own = text is not None and budget.k == 1
        if text is None:
            return self._decoder.propose(fold(window, self._hot_chars), budget, control, watch)
        self.offered.append(text)
        ours = Segment(text=text, expert=f"{PREFIX}{self._skill}")
        if budget.k == 1:
            return told([ours], watch)
        stop = watch is not None and watch(ours)
        if stop:
            return [ours]
        fewer = budget.model_copy(update={"k": budget.k - 1})
        others = self._decoder.propose(fold(window, self._hot_chars), fewer, control, watch)
        return [ours, *(each for each in others if each.text != text)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def _next(self, window: Window) -> str | None:
        """The skill's next call here, unless it was offered already or the episode has gone another way."""
        spot = (window.phase, window.index, len(window.exchanges))
        if self._bound is None or self.failed or spot in self._asked:
            return None
        call = self._due(self._bound, window)
        if call is None:
            return None
        self._asked.add(spot)
        return call.model_dump_json(exclude_defaults=True)

    def _due(self, bound: Bound, window: Window) -> ToolCall | None:
        done = len(window.exchanges)
        if window.phase == "plan":
            return bound.plan if not done else None
        if window.steps != bound.steps:
            return None
        if window.phase == "finish":
            return bound.finish if not done else None
        due = bound.calls[window.index]
        for known, exchange in zip(due, window.exchanges, strict=False):
            same = known is None or known.model_dump_json(exclude_defaults=True) == exchange.call
            if same and known is not None and not exchange.obs.startswith("ok"):
                self.failed = True
            if not same or self.failed:
                return None
        return due[done] if done < len(due) else None
