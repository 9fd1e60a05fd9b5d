"""How much room a text takes on a terminal."""

from __future__ import annotations

import re
import unicodedata

_CODES = re.compile(r"\x1b\[[0-9;]*m")


def strip_codes(text: str) -> str:
    """The text without colour codes."""
    return _CODES.sub("", text)


def char_width(char: str) -> int:
    """Cells of one character: 0 for combining marks, 2 for wide ones, else 1."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def visible(text: str) -> int:
    """Cells that the text takes."""
    return sum(char_width(char) for char in strip_codes(text))


def widest(lines: list[str]) -> int:
    """Cells of the longest line; 0 if there is none."""
    return max((visible(line) for line in lines), default=0)
