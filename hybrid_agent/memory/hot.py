"""Hot memory: the task's own window, folded when it passes its budget.

The loop already folds a finished step into a note and caps each observation (`hybrid_agent.agent.window`). What is left
is a step of many or large calls: here its oldest calls become notes, one line each, and the newest stays word for word.
"""

from __future__ import annotations

import json

from hybrid_agent.types import Exchange, Window

LINE = 160
CUT = " ... "
KEPT_NOTES = 12


def size(window: Window) -> int:
    """Characters of what grows during an episode: calls, observations, notes and the listing."""
    return (
        sum(len(each.call) + len(each.obs) for each in window.exchanges)
        + sum(map(len, window.notes))
        + sum(map(len, window.files))
    )


def fold(window: Window, budget: int) -> Window:
    """The window within `budget` characters if folding can do it; itself if it is. Goal, plan and newest call stay."""
    while size(window) > budget and len(window.exchanges) > 1:
        oldest, *rest = window.exchanges
        window = window.model_copy(update={"exchanges": tuple(rest), "notes": (*window.notes, line(oldest))})
    if size(window) > budget and len(window.notes) > KEPT_NOTES:
        gone = len(window.notes) - KEPT_NOTES
        window = window.model_copy(update={"notes": (f"({gone} earlier notes)", *window.notes[-KEPT_NOTES:])})
    while size(window) > budget and len(window.files) > 8:
        window = window.model_copy(update={"files": window.files[: len(window.files) // 2]})
    return window


def line(exchange: Exchange) -> str:
    """A call and how it ended, in one line."""
    try:
        call = json.loads(exchange.call)
        args = " ".join(f"{key}={_short(value)}" for key, value in call["args"].items())
        did = f"{call['tool']} {args}"
    except (ValueError, KeyError, TypeError, AttributeError):
        did = exchange.call
    head, _, body = exchange.obs.partition("\n")
    last = "" if head == "ok" else body.strip().rpartition("\n")[2]
    text = " ".join(f"{did} -> {head}{': ' + last if last else ''}".split())
    return text if len(text) <= LINE else text[: LINE - 40 - len(CUT)] + CUT + text[-40:]


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:30] + CUT + text[-6:]
