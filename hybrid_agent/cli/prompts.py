"""Questions to the person at the terminal: may this destructive call run, and what the agent itself asks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from rich.console import Console
from rich.text import Text

from hybrid_agent.cli.text import describe_call, safe
from hybrid_agent.types import ToolCall, Verdict


class TerminalPrompts:
    """Asks on the console, with the live view out of the way."""

    def __init__(self, console: Console, pause: Callable[[], AbstractContextManager[None]]) -> None:
        self.console, self._pause = console, pause

    def approve(self, call: ToolCall, verdict: Verdict) -> bool:
        """True only for a clear yes; the end of input is a no."""
        with self._pause():
            self.console.print(Text("The agent wants to make a change that destroys something:", style="yellow"))
            self.console.print(Text("  " + describe_call(call.model_dump_json(), width=2000)), soft_wrap=True)
            if verdict.reason:
                self.console.print(Text("  " + safe(verdict.reason), style="dim"), soft_wrap=True)
            return self._input("Allow it? [y/N] ").strip().lower() in ("y", "yes")

    def ask(self, question: str) -> str | None:
        """The person's answer, or None if there is none."""
        with self._pause():
            self.console.print(Text("The agent asks: " + safe(question), style="bold"), soft_wrap=True)
            return self._input("> ").strip() or None

    def _input(self, prompt: str) -> str:
        try:
            return self.console.input(Text(prompt))
        except EOFError:
            return ""
