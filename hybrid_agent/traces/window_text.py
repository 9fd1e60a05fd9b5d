"""The text the tiny decoder reads and writes.

Inside one step a window only ever grows at its end, so the KV cache of the last call's prompt serves the
next one, and all calls of a step train as one sequence:

    plan     <|goal|>GOAL<|call|>CALL<|end|>
    step     <|step|>STEP<|files|>a b/<|note|>NOTE; NOTE<|call|>CALL<|end|><|obs|>OBS<|call|>CALL<|end|>...
    finish   <|finish|>INDEX/STEPS LAST NOTE<|call|>CALL<|end|>
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybrid_agent.types import Window

PAD, END = "<|pad|>", "<|end|>"
GOAL, STEP, FILES, NOTE = "<|goal|>", "<|step|>", "<|files|>", "<|note|>"
CALL, OBS, FINISH = "<|call|>", "<|obs|>", "<|finish|>"
SPECIALS = (PAD, END, GOAL, STEP, FILES, NOTE, CALL, OBS, FINISH)


@dataclass(frozen=True)
class Piece:
    """A stretch of training text; the loss is taken on it only if `train`."""

    text: str
    train: bool


def plain(text: str) -> str:
    """Text from outside, so that none of it can pass for one of our control tokens."""
    return text.replace("<|", "< |")


def render_head(window: Window) -> str:
    """The part of the prompt before the first call of the window."""
    if window.phase == "plan":
        return GOAL + plain(window.goal)
    if window.phase == "finish":
        last = plain(window.notes[-1]) if window.notes else ""
        return f"{FINISH}{window.index}/{len(window.steps)} {last}"
    step = window.steps[window.index] if window.index < len(window.steps) else window.goal
    files = " ".join(plain(f) for f in window.files)
    notes = "; ".join(plain(n) for n in window.notes)
    return f"{STEP}{plain(step)}{FILES}{files}{NOTE}{notes}"


def render_window(window: Window) -> str:
    """The whole prompt, up to and including the mark after which the next call is written."""
    parts = [render_head(window)]
    parts += [f"{CALL}{plain(e.call)}{END}{OBS}{plain(e.obs)}" for e in window.exchanges]
    return "".join(parts) + CALL


def render_turns(turns: Iterable[tuple[Window, str]]) -> list[list[Piece]]:
    """Pack the turns of an episode, in order, into as few training sequences as possible.

    Args:
        turns: each window with the call (JSON text) that was the right answer to it.

    Returns:
        one list of pieces per sequence; a turn whose prompt extends the text so far joins its sequence.
    """
    sequences: list[list[Piece]] = []
    written = ""
    for window, call in turns:
        prompt = render_window(window)
        answer = plain(call) + END
        if written and prompt.startswith(written):
            sequences[-1] += [Piece(prompt[len(written) :], False), Piece(answer, True)]
        else:
            sequences.append([Piece(prompt, False), Piece(answer, True)])
        written = prompt + answer
    return sequences


def as_json(pieces: Sequence[Piece], weight: float = 1.0) -> dict[str, object]:
    """One line of a training file (see train.data)."""
    return {"segments": [{"text": p.text, "train": p.train} for p in pieces], "weight": weight}
