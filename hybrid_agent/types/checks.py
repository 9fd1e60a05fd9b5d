"""Checks: assertions on the workspace."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hybrid_agent.types.arguments import ModeArg, PathArg, ShellArg, TextArg, WordArg
from hybrid_agent.types.record import Record


class ExistsCheck(Record):
    """`path` exists and is of the given type (links are not followed for `link`)."""

    kind: Literal["exists"] = "exists"
    path: PathArg
    type: Literal["any", "file", "dir", "link"] = "any"


class AbsentCheck(Record):
    """Nothing is at `path` (not even a dangling link)."""

    kind: Literal["absent"] = "absent"
    path: PathArg


class EqualsCheck(Record):
    """The file's text equals `text`; one final newline on either side is ignored."""

    kind: Literal["equals"] = "equals"
    path: PathArg
    text: TextArg


class ContainsCheck(Record):
    """The file's text contains `text`."""

    kind: Literal["contains"] = "contains"
    path: PathArg
    text: TextArg


class LacksCheck(Record):
    """The file exists and its text does not contain `text`."""

    kind: Literal["lacks"] = "lacks"
    path: PathArg
    text: TextArg


class MatchesCheck(Record):
    """The file's text matches the Python regular expression (re.MULTILINE, search)."""

    kind: Literal["matches"] = "matches"
    path: PathArg
    pattern: TextArg


class ModeCheck(Record):
    """Permission bits equal the octal `mode` (e.g. "600")."""

    kind: Literal["mode"] = "mode"
    path: PathArg
    mode: ModeArg


class LinkCheck(Record):
    """`path` is a symbolic link whose stored target is `target`."""

    kind: Literal["link"] = "link"
    path: PathArg
    target: PathArg


class SameCheck(Record):
    """Two files have identical bytes."""

    kind: Literal["same"] = "same"
    path: PathArg
    other: PathArg


class ValueCheck(Record):
    """The value at dotted `key` of a JSON/YAML/INI/TOML/.env file equals `value` (compared as text)."""

    kind: Literal["value"] = "value"
    path: PathArg
    key: WordArg
    value: WordArg


class NoValueCheck(Record):
    """The structured file has no value at dotted `key`."""

    kind: Literal["no_value"] = "no_value"
    path: PathArg
    key: WordArg


class MemberCheck(Record):
    """The tar/zip archive at `path` has a member named `member` (or below that folder)."""

    kind: Literal["member"] = "member"
    path: PathArg
    member: PathArg


class CommandCheck(Record):
    """The shell command exits 0 in the sandbox (and prints `stdout`, stripped, if given)."""

    kind: Literal["command"] = "command"
    cmd: ShellArg
    stdout: str | None = None


Check = Annotated[
    ExistsCheck
    | AbsentCheck
    | EqualsCheck
    | ContainsCheck
    | LacksCheck
    | MatchesCheck
    | ModeCheck
    | LinkCheck
    | SameCheck
    | ValueCheck
    | NoValueCheck
    | MemberCheck
    | CommandCheck,
    Field(discriminator="kind"),
]


class CheckResult(Record):
    """One evaluated check; `detail` says what was found when it failed."""

    ok: bool
    detail: str = ""
