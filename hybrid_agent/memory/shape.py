"""What a skill's text is made of: marks that stand for slots, and kinds of values."""

from __future__ import annotations

import json
import re

from hybrid_agent.memory.records import Skill

FIXED = ("op", "kind", "lang", "status", "summary", "type")  # args that choose, and name nothing
FREE_TEXT = ("text", "line", "content", "find", "value", "stdout")
RUNNABLE = ("cmd", "code", "pattern")
MAX_VALUE = 400

MARK = re.compile(r"⟦(\d+)⟧")
VALUE = re.compile(r"[\w./+@-]*[./_\d][\w./+@-]*\w|\w*\d\w*")


def mark(number: int) -> str:
    """What stands for slot `number`."""
    return f"⟦{number}⟧"


def identity(skill: Skill) -> str:
    """What makes two skills the same: shape and calls, whatever values they were learned with."""
    body = [skill.shape.casefold(), list(skill.steps), [call.model_dump() for call in skill.calls]]
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def kind_of_value(text: str) -> str:
    """`number`, `text` (of several words), `path` (a name with a dot, slash, digit or underscore) or `word`."""
    if text.isdigit():
        return "number"
    if re.search(r"\s", text):
        return "text"
    return "path" if VALUE.fullmatch(text) else "word"
