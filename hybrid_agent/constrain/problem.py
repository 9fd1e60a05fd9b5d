"""How a schema problem is reported: the keyword, where it stands, and what to write instead."""

from __future__ import annotations

from hybrid_agent.errors import GrammarError

SOURCE = "JSON schema"


def step(pointer: str, *parts: str | int) -> str:
    """Extend a JSON pointer (in its `#/a/b` form) by one or more reference tokens."""
    for part in parts:
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
    return pointer


def problem(pointer: str, what: str, fix: str | None = None) -> GrammarError:
    """Make the error for the schema part at `pointer`; its last reference token is the keyword."""
    return GrammarError(what, where=SOURCE, field=pointer, fix=fix)
