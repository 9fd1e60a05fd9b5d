"""What clients send about agent runs, and what they are told."""

from __future__ import annotations

import posixpath
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hybrid_agent.types import Record
from services.gateway.events import RunResult, RunState

SEED = 2**63
RunId = Annotated[str, Field(pattern=r"^\d{8}-\d{6}-[0-9a-f]{6}$")]


class RunRequest(Record):
    """An agent run: the goal, and the files that its fresh workspace starts with.

    `hybrid` is a preset of configs/hybrid; null is the server's own. `approve` says who decides about destructive
    calls: a person (`ask`, no answer in time means no), always yes (`auto`) or always no (`deny`).
    """

    goal: str = Field(min_length=1, max_length=8000)
    seed: int = Field(default=0, ge=-SEED, lt=SEED)
    files: dict[str, str] = Field(default_factory=dict)
    hybrid: str | None = Field(default=None, pattern=r"^[a-z0-9_]{1,40}$")
    approve: Literal["ask", "auto", "deny"] = "ask"

    @field_validator("goal")
    @classmethod
    def _says_something(cls, goal: str) -> str:
        if not goal.strip():
            raise ValueError("the goal is empty")
        return _text(goal)

    @model_validator(mode="after")
    def _files_fit_together(self) -> RunRequest:
        folders: set[str] = set()
        for path, text in self.files.items():
            _text(path), _text(text)
            if not path or len(path) > 400 or "\0" in path or any(len(part.encode()) > 255 for part in path.split("/")):
                raise ValueError(f"{path[:40]!r} cannot be the name of a file")
            if path.startswith("/") or posixpath.normpath(path) != path or path.split("/")[0] in ("..", "."):
                raise ValueError(f"{path[:40]!r} is not a plain relative path inside the workspace")
            folders.update(path[:at] for at, char in enumerate(path) if char == "/")
        both = folders & self.files.keys()
        if both:
            raise ValueError(f"{min(both)[:40]!r} would be a file and a folder")
        return self


class RunStarted(Record):
    """Names the run."""

    id: str


class RunRow(Record):
    """One run in a list. `created` is in Unix seconds, `events` the number of its last event."""

    id: str
    goal: str
    state: RunState
    created: float
    events: int
    result: RunResult | None = None
    reason: str | None = None


class RunList(Record):
    """Runs, newest first. `more` says that there are older ones: ask with `before` = the last id."""

    runs: tuple[RunRow, ...]
    more: bool


class RunDetail(RunRow):
    """One run. `approvals` are the open questions, `snapshots` the states it can be rolled back to, oldest first."""

    seed: int
    approve: Literal["ask", "auto", "deny"]
    hybrid: str
    approvals: tuple[str, ...]
    snapshots: tuple[str, ...]


class Answer(Record):
    """A person's answer to an approval."""

    allow: bool


class RollbackRequest(Record):
    """Which snapshot; null is the state before the run changed anything."""

    to: str | None = Field(default=None, pattern=r"^\d{6,12}$")


class Artifact(Record):
    """One regular file of the workspace. `bytes` is its size, `modified` Unix seconds."""

    path: str
    bytes: int
    modified: float


class ArtifactList(Record):
    """Files by path; `cut` says that there are more than are listed."""

    files: tuple[Artifact, ...]
    cut: bool = False


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair, which is no text") from None
    return text
