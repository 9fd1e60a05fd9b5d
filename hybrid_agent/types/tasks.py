"""Tasks of the packs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hybrid_agent.types.calls import ToolCall
from hybrid_agent.types.checks import Check
from hybrid_agent.types.record import Record


class SetupItem(Record):
    """One thing put into a fresh workspace before the agent starts.

    Exactly one of `text` (a file), `b64` (a binary file), `link` (symbolic link target), `dir`, or `run`
    (a shell command run in the sandbox, e.g. `git init`; `path` is then its working directory).
    """

    path: str = "."
    text: str | None = None
    b64: str | None = None
    link: str | None = None
    dir: bool = False
    run: str | None = None
    mode: str | None = Field(default=None, pattern=r"^[0-7]{3,4}$")

    @model_validator(mode="after")
    def _one_thing_inside(self) -> SetupItem:
        if self.path.startswith("/") or ".." in self.path.split("/"):
            raise ValueError(f"path {self.path!r} leads out of the workspace")
        given = [self.text, self.b64, self.link, self.run, True if self.dir else None]
        if sum(each is not None for each in given) != 1:
            raise ValueError("give exactly one of text, b64, link, dir, run")
        return self


Split = Literal["train", "val", "test_names", "test_paraphrase", "test_composition"]


class Task(Record):
    """A goal with its starting workspace, the judge's checks and one gold solution.

    `template` names the wording(s) and `intents` the steps it is composed of: splits are by these, never
    by row. `gold` is the full list of calls, plan and finish included.
    """

    id: str
    pack: str
    family: str
    template: str
    intents: tuple[str, ...]
    split: Split
    goal: str
    setup: tuple[SetupItem, ...] = ()
    checks: tuple[Check, ...]
    gold: tuple[ToolCall, ...]
    max_steps: int = Field(default=24, ge=1)
    destructive: bool = False
