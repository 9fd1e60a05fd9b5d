"""How a window moves on: pure functions from (window, call, observation) to the next window."""

from __future__ import annotations

from collections.abc import Sequence

from hybrid_agent.types import Exchange, Observation, ToolCall, Window

CUT = " ... "


def opening(goal: str, barred: Sequence[str] = ()) -> Window:
    """The window of an episode that has done nothing yet; no step may hold a `barred` clause."""
    return Window(goal=goal, phase="plan", barred=tuple(barred))


def obs_text(obs: Observation, cap: int) -> str:
    """An observation as the decoder reads it, at most about `cap` characters.

    Output that is too long loses its middle: file heads and the ends of tracebacks both matter.
    """
    if obs.denied is not None:
        head, body = "denied", obs.stderr or obs.denied
    elif obs.ok:
        head, body = "ok", obs.stdout or obs.stderr
    else:
        head, body = "error", "\n".join(part for part in (obs.stdout, obs.stderr) if part)
    body = body.rstrip("\n")
    if len(body) > cap:
        body = body[: cap // 3] + CUT + body[-(cap - cap // 3) :]
    return f"{head}\n{body}" if body else head


def planned(window: Window, steps: Sequence[str], files: Sequence[str]) -> Window:
    """The window after the plan was set: the first step, nothing tried yet."""
    return Window(goal=window.goal, phase="step", steps=tuple(steps), files=tuple(files))


def tried(window: Window, call: ToolCall, obs: Observation, cap: int) -> Window:
    """The window after one more call within the step (append-only, so a decoder can keep its cache)."""
    exchange = Exchange(call=call_text(call), obs=obs_text(obs, cap))
    return window.model_copy(update={"exchanges": (*window.exchanges, exchange)})


def finished_step(window: Window, changed: Sequence[str], files: Sequence[str]) -> Window:
    """The window after the current step's check passed: folded into a note, next step or finish."""
    note = " ".join(changed[:3]) or "nothing changed"
    index = window.index + 1
    return Window(
        goal=window.goal,
        phase="step" if index < len(window.steps) else "finish",
        steps=window.steps,
        index=index,
        files=tuple(files),
        notes=(*window.notes, note),
    )


def restarted(window: Window) -> Window:
    """The current step from its beginning, after a rollback."""
    return window.model_copy(update={"exchanges": ()})


def call_text(call: ToolCall) -> str:
    """A call as JSON in the form the decoder emits: fixed key order, no spaces, default policy left out."""
    return call.model_dump_json(exclude_defaults=True)
