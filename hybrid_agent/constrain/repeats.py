"""Calls that name one thing in two places: `sort a.txt > a.txt`, `move a.txt to a.txt`.

No context-free grammar can forbid them, so they are found in the finished text. What a call works on and where its
result goes are different things, and a key is not its own value; none of the gold calls does it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"?(:?)')
_CONSTANTS = frozenset(("tool", "op", "kind", "type"))
_FREE = frozenset(("exec_code", "finish", "ask"))  # programs and sentences repeat words
_WORD = re.compile(r"""&&|\|\||[;|]|'[^']*'|\\".*?\\"|[^\s'"|&;<>]+""")
_TWICE_IN_A_ROW = re.compile(r"(?<![\w.+-])([\w.+-]{2,})(?: \1){2}(?![\w.+-])")


class Operand(NamedTuple):
    """A value of a call, or a word of its shell command, at characters `start` to `end` of the call's text."""

    text: str
    start: int
    end: int


def repeated(call: str) -> tuple[Operand, Operand] | None:
    """Two places of one operand in the same command, or of a word said three times in a row.

    Args:
        call: a call as JSON text; it may be cut off.
    """
    run = _TWICE_IN_A_ROW.search(call)
    if run is not None:
        size = len(run[1])
        first, second = run.start(), run.start() + size + 1
        return Operand(run[1], first, first + size), Operand(run[1], second, second + size)
    for command in _commands(call):
        seen: dict[str, Operand] = {}
        for operand in command:
            if operand.text in seen:
                return seen[operand.text], operand
            seen[operand.text] = operand
    return None


def _commands(call: str) -> Iterator[list[Operand]]:
    """The operands of a call; those of each simple command of a shell line apart."""
    tool, key = "", ""
    values: list[Operand] = []
    for match in _STRING.finditer(call):
        text, is_key = match[1], match[2] == ":"
        if is_key:
            key = text
        elif key == "tool":
            tool = text
            if tool in _FREE:
                return
        elif key == "cmd":
            yield from _words(text, match.start(1))
        elif key not in _CONSTANTS and _names(text):
            values.append(Operand(text, match.start(1), match.end(1)))
    yield values


def _words(command: str, at: int) -> Iterator[list[Operand]]:
    words: list[Operand] = []
    for match in _WORD.finditer(command):
        if match[0] in ("&&", "||", ";", "|"):
            yield words
            words = []
        elif _names(word := match[0].strip("'\\\"")):
            start = at + match.start() + match[0].index(word)
            words.append(Operand(word, start, start + len(word)))
    yield words


def _names(text: str) -> bool:
    return len(text) > 1 and not text.startswith("-") and any(character.isalnum() for character in text)
