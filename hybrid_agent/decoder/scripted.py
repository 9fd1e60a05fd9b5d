"""A decoder that says what it was told to: gold replays, demonstrations of the loop, tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hybrid_agent.decoder.watching import told
from hybrid_agent.types import Budget, Control, Segment, ToolCall, Window


class ScriptedDecoder:
    """Emits the given calls, one per turn, in order.

    Args:
        calls: tool calls, or texts to be emitted as they are. After the last one, `fallback` is repeated.
        fallback: what to say when the script has run out; by default that the agent gives up.
    """

    def __init__(self, calls: Iterable[ToolCall | str], fallback: ToolCall | str | None = None) -> None:
        self._texts = [_text(call) for call in calls]
        self._fallback = _text(
            fallback or ToolCall(tool="finish", args={"status": "failed", "summary": "the script has ended"})
        )
        self.windows: list[Window] = []  # every window that was shown

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """The next call of the script, as the only candidate."""
        turn = len(self.windows)
        self.windows.append(window)
        return told([Segment(text=self._texts[turn] if turn < len(self._texts) else self._fallback)], watch)


def _text(call: ToolCall | str) -> str:
    """Compact JSON in the key order of the call; the policy only if it is not the default."""
    if isinstance(call, str):
        return call
    return call.model_dump_json(exclude_defaults=True)
