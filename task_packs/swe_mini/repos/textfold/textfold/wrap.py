"""Breaking text into lines."""

from __future__ import annotations

from textfold.width import visible


def wrap_lines(text: str, width: int = 72, *, first: str = "", rest: str = "", split_words: bool = True) -> list[str]:
    """Lines of at most `width` cells.

    Args:
        text: one paragraph; its white space counts as single blanks.
        width: cells of a line, its prefix included.
        first: prefix of the first line.
        rest: prefix of the others.
        split_words: cut a word that is longer than a line; else it gets a line of its own.

    Raises:
        ValueError: a prefix leaves no room.
    """
    room = width - max(visible(first), visible(rest))
    if room < 1:
        raise ValueError(f"a width of {width} leaves no room for text")
    lines: list[str] = []
    line = ""
    for word in text.split():
        pieces = _pieces(word, room) if split_words else [word]
        for piece in pieces:
            if not line:
                line = piece
            elif visible(line) + 1 + visible(piece) <= room:
                line += " " + piece
            else:
                lines.append(line)
                line = piece
    if line:
        lines.append(line)
    return [(rest if number else first) + each for number, each in enumerate(lines)]


def wrap(text: str, width: int = 72) -> str:
    """Wrap every paragraph; blank lines between them are kept as one."""
    paragraphs = [part for part in _paragraphs(text) if part.strip()]
    return "\n\n".join("\n".join(wrap_lines(part, width)) for part in paragraphs)


def indent(text: str, prefix: str = "    ", *, first: str | None = None) -> str:
    """Put a prefix before every line that is not blank; `first` is that of the first line."""
    done = []
    for number, line in enumerate(text.split("\n")):
        before = first if number == 0 and first is not None else prefix
        done.append(before + line if line.strip() else line)
    return "\n".join(done)


def _paragraphs(text: str) -> list[str]:
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return ["\n".join(lines) for lines in found]


def _pieces(word: str, room: int) -> list[str]:
    """The word in pieces that each fit into `room` cells."""
    pieces = []
    piece = ""
    for char in word:
        if piece and visible(piece + char) > room:
            pieces.append(piece)
            piece = ""
        piece += char
    pieces.append(piece)
    return pieces
