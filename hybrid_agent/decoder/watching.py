"""Telling a watcher about candidates that came in one piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hybrid_agent.types import Segment


def told(segments: Sequence[Segment], watch: Callable[[Segment], bool] | None) -> list[Segment]:
    """Show the candidates to `watch` one by one; those after the one at which it says stop are dropped."""
    if watch is None:
        return list(segments)
    kept = []
    for segment in segments:
        kept.append(segment)
        if watch(segment):
            break
    return kept
