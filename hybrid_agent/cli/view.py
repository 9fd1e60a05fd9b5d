"""What a person sees while an episode runs: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from hybrid_agent.agent.select import stored_text
from hybrid_agent.cli.text import describe_call, describe_obs, describe_verdict, safe, step_ms
from hybrid_agent.types import Step, Window

SHOWN_CALLS = 12


class View(Protocol):
    """How an episode is shown."""

    def begin(self, goal: str, run_id: str, workspace: str) -> None:
        """Before the first step."""
        ...

    def step(self, window: Window, step: Step) -> None:
        """After each step; `window` is what the decoder saw."""
        ...

    def pause(self) -> Any:
        """A context in which questions can be asked on the terminal."""
        ...

    def end(self, ok: bool, headline: str, lines: list[str]) -> None:
        """After the last step."""
        ...


def make_view(console: Console, quiet: bool) -> View:
    """The view that fits the console."""
    if quiet:
        return QuietView(console)
    return LiveView(console) if console.is_terminal else PlainView(console)


def step_lines(step: Step, width: int = 110) -> list[Text]:
    """One step of an episode as a few lines of text."""
    mark, style = ("+", "green") if step.ok else ("x", "red")
    head = Text.assemble((f"{mark} ", style), describe_call(step.content))
    head.append(f"  {step_ms(step):.0f} ms", style="dim")
    if step.snapshot:
        head.append(f"  snapshot {step.snapshot[:12]}", style="dim")
    if step.kept:
        head.append("  kept; looking for a better way", style="dim")
    lines = [head]
    chosen = describe_choice(step)
    if chosen:
        lines.append(Text("    " + chosen, style="dim"))
    verdict = describe_verdict(step.verdict)
    if verdict:
        lines.append(Text("    " + verdict, style="yellow"))
    lines += [Text("    " + row, style="dim" if step.ok else "red") for row in describe_obs(step.obs, width)]
    return lines


def describe_choice(step: Step) -> str:
    """How the call was chosen, in one line; empty where the greedy call was simply taken."""
    effort, parts = step.effort, []
    if effort is not None and effort.k > 1:
        why = f" ({step.schedule.why})" if step.schedule and step.schedule.why != "fixed" else ""
        merged = f", {len(step.candidates)} different" if len(step.candidates) < effort.drawn else ""
        parts.append(f"K {effort.k}{why}{merged}" + (f", {effort.cancelled} cancelled" if effort.early else ""))
    taken = next((c for c in step.candidates if stored_text(c.text) == step.content), None)
    if taken is not None and taken.energy is not None:
        probability = f", p {taken.p:.2f}" if taken.p is not None else ""
        best = min(c.energy for c in step.candidates if c.energy is not None)
        parts.append(f"energy {taken.energy:.2f} (least {best:.2f}){probability}")
    if step.control.risk > 0:
        parts.append(f"risk {step.control.risk:.2f}")
    if taken is not None and taken.expert:
        parts.append(f"by {safe(taken.expert)}")
    if effort is not None and effort.vetoed:
        parts.append(f"{effort.vetoed} vetoed by energy")
    return "; ".join(parts)


class QuietView:
    """Only the outcome."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def begin(self, goal: str, run_id: str, workspace: str) -> None:
        """Nothing."""

    def step(self, window: Window, step: Step) -> None:
        """Nothing."""

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Nothing to pause."""
        yield

    def end(self, ok: bool, headline: str, lines: list[str]) -> None:
        """The outcome in one line."""
        self.console.print(Text(headline, style="green" if ok else "red"))


class PlainView(QuietView):
    """Lines as they come, for logs and pipes."""

    def begin(self, goal: str, run_id: str, workspace: str) -> None:
        """Goal, run and workspace."""
        self._line(Text(f"goal       {safe(goal)}"))
        self._line(Text(f"run        {run_id}"))
        self._line(Text(f"workspace  {workspace}"))

    def step(self, window: Window, step: Step) -> None:
        """The call, the verdict, the observation."""
        for line in step_lines(step):
            self._line(line)
        for number, text in enumerate(planned_steps(step), 1):
            self._line(Text(f"    {number}. {safe(text)}"))

    def end(self, ok: bool, headline: str, lines: list[str]) -> None:
        """The outcome, and what to do next."""
        self._line(Text(headline, style="bold green" if ok else "bold red"))
        for line in lines:
            self._line(Text(line))

    def _line(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True, highlight=False)


class LiveView(PlainView):
    """The plan with the status of its steps, the latest calls, and a sign of life."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._plan: list[str] = []
        self._index = 0
        self._lines: list[list[Text]] = []
        self._live = Live(console=console, refresh_per_second=10, transient=True)
        self._spinner = Spinner("dots", text="thinking")

    def begin(self, goal: str, run_id: str, workspace: str) -> None:
        """Start drawing."""
        super().begin(goal, run_id, workspace)
        self._live.start()
        self._draw()

    def step(self, window: Window, step: Step) -> None:
        """Take the step into the picture."""
        plan = planned_steps(step)
        if plan:
            self._plan, self._index = plan, 0
        elif window.phase == "step":  # after a rollback it may be another plan's
            self._plan = list(window.steps)
            self._index = window.index + (step.ok and is_done(step) and not step.kept)
        self._lines.append(step_lines(step))
        self._draw()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Clear the picture while a question is asked."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def end(self, ok: bool, headline: str, lines: list[str]) -> None:
        """Leave the whole story behind on the terminal."""
        self._live.stop()
        for line in self._plan_lines():
            self.console.print(line, soft_wrap=True, highlight=False)
        for block in self._lines:
            for line in block:
                self.console.print(line, soft_wrap=True, highlight=False)
        super().end(ok, headline, lines)

    def _plan_lines(self) -> list[Text]:
        marks = []
        for number, text in enumerate(self._plan):
            done, now = number < self._index, number == self._index
            style = "green" if done else "bold" if now else "dim"
            marks.append(Text(f"{'[x]' if done else '[>]' if now else '[ ]'} {number + 1}. {safe(text)}", style=style))
        return marks

    def _draw(self) -> None:
        rows: list[RenderableType] = list(self._plan_lines())
        for block in self._lines[-SHOWN_CALLS:]:
            rows += block
        rows.append(self._spinner)
        self._live.update(Group(*rows), refresh=True)


def planned_steps(step: Step) -> list[str]:
    """The steps that this step's plan call set, else nothing."""
    call = _call(step)
    if step.ok and call.get("tool") == "plan" and call["args"].get("op") == "set":
        return [str(text) for text in call["args"].get("steps", [])]
    return []


def is_done(step: Step) -> bool:
    """True if the step is a `plan` call that closes the current step."""
    call = _call(step)
    return call.get("tool") == "plan" and call["args"].get("op") == "done"


def _call(step: Step) -> dict[str, Any]:
    try:
        call = json.loads(step.content)
    except ValueError:
        return {}
    return call if isinstance(call, dict) and isinstance(call.get("args"), dict) else {}
