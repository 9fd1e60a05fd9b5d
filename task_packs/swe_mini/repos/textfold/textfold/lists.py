"""Bulleted and numbered lists."""

from __future__ import annotations

from collections.abc import Sequence

from textfold.align import right
from textfold.wrap import wrap_lines


def bullets(items: Sequence[str], width: int = 72, mark: str = "-") -> str:
    """One item a bullet; further lines of an item stand below its text."""
    lines: list[str] = []
    for item in items:
        lines += wrap_lines(item, width, first=mark + " ", rest=" " * (len(mark) + 1))
    return "\n".join(lines)


def numbered(items: Sequence[str], width: int = 72, start: int = 1) -> str:
    """Items with numbers that stand below one another by their last digit."""
    last = start + len(items) - 1
    digits = len(str(last))
    lines: list[str] = []
    for number, item in enumerate(items, start):
        mark = right(str(number), digits) + ". "
        lines += wrap_lines(item, width, first=mark, rest=" " * len(mark))
    return "\n".join(lines)


def sentence(items: Sequence[str], word: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    if not items:
        return ""
    if len(items) == 1:
        return items[0]
    return ", ".join(items[:-1]) + f" {word} " + items[-1]
