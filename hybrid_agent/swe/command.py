"""From the test command a person typed to something whose tests can be told apart."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hybrid_agent.errors import InputError

Kind = Literal["pytest", "unittest", "script", "plain"]
_ASSIGN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PYTHON = re.compile(r"(?:.*/)?(?:python|pypy)[0-9.]*")
_SHELL = re.compile(r"[|&;<>$`(){}*?\n]")


@dataclass(frozen=True)
class TestCommand:
    """What is run. `plain` commands count as one test, known by its exit code."""

    __test__ = False

    kind: Kind
    args: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    python: str | None = None  # the interpreter that the command names itself

    def __str__(self) -> str:
        return shlex.join(self.args)


def split_command(text: str) -> list[str]:
    """A command as one string -> argv; what needs a shell gets one.

    Raises:
        InputError: it is empty or has an open quote.
    """
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise InputError(f"the test command does not parse: {error}", field="test_cmd", fix="close the quote") from None
    if _SHELL.search(text) and not (_kind(parts) or "").startswith("pytest"):
        return ["/bin/sh", "-c", text]
    return parts


def read_command(argv: Sequence[str]) -> TestCommand:
    """Tell pytest, unittest and Python scripts from other commands.

    Raises:
        InputError: there is no command.
    """
    parts, env = list(argv), {}
    while parts and _ASSIGN.match(parts[0]):
        name, _, value = parts.pop(0).partition("=")
        env[name] = value
    if not parts:
        raise InputError("there is no test command", field="test_cmd", fix='give one, e.g. --test_cmd "pytest -q"')
    kind = _kind(parts)
    if kind is None:
        return TestCommand("plain", tuple(parts), env)
    python = parts[0] if _PYTHON.fullmatch(parts[0]) and "/" in parts[0] else None
    if kind == "pytest-direct":
        return TestCommand("pytest", tuple(parts[1:]), env)
    rest = _without_switches(parts[1:])
    if kind == "script":
        return TestCommand("script", tuple(rest), env, python)
    return TestCommand("pytest" if kind == "pytest" else "unittest", tuple(rest[2:]), env, python)


def _kind(parts: Sequence[str]) -> str | None:
    if not parts:
        return None
    program = parts[0].rpartition("/")[2]
    if program in ("pytest", "py.test"):
        return "pytest-direct"
    if not _PYTHON.fullmatch(parts[0]):
        return None
    rest = _without_switches(parts[1:])
    if rest[:1] == ["-m"] and len(rest) > 1:
        return {"pytest": "pytest", "py.test": "pytest", "unittest": "unittest"}.get(rest[1], "script")
    return "script" if rest and not rest[0].startswith("-") else None


def _without_switches(parts: Sequence[str]) -> list[str]:
    """Without switches of the interpreter that do not matter here."""
    rest = list(parts)
    while rest and rest[0] in ("-B", "-u", "-s", "-E", "-X", "-W", "-O", "-b", "-bb", "-Wd"):
        rest = rest[2:] if rest[0] in ("-X", "-W") else rest[1:]
    return rest
