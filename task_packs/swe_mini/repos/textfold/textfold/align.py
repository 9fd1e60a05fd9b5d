"""Text within a given number of cells."""

from __future__ import annotations

from textfold.width import char_width, visible

ELLIPSIS = "..."


def left(text: str, width: int, fill: str = " ") -> str:
    """The text at the left."""
    return text + fill * (width - visible(text))


def right(text: str, width: int, fill: str = " ") -> str:
    """The text at the right."""
    return fill * (width - visible(text)) + text


def center(text: str, width: int, fill: str = " ") -> str:
    """The text in the middle; an odd cell goes to the right."""
    spare = max(width - visible(text), 0)
    before = spare // 2
    return fill * before + text + fill * (spare - before)


def truncate(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """The text, or its beginning and an ellipsis: never more than `width` cells."""
    if visible(text) <= width:
        return text
    room = width - visible(ellipsis)
    if room <= 0:
        return ellipsis[:width]
    kept = ""
    used = 0
    for char in text:
        if used + char_width(char) > room:
            break
        kept += char
        used += char_width(char)
    return kept.rstrip() + ellipsis


def justify(text: str, width: int) -> str:
    """Widen the gaps between words until the line is full; extra blanks go to the first gaps."""
    words = text.split()
    if len(words) < 2:
        return text.strip()
    gaps = len(words) - 1
    spare = width - sum(visible(word) for word in words)
    if spare < gaps:
        return " ".join(words)
    each, extra = divmod(spare, gaps)
    line = words[0]
    for number, word in enumerate(words[1:]):
        line += " " * (each + (1 if number < extra else 0)) + word
    return line
