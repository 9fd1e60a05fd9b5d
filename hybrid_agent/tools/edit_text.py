"""Edits by text and by line. Line endings of the file are kept: inserted lines get the ending the file uses."""

from __future__ import annotations

from hybrid_agent.tools.failure import ToolFailure

_SHOWN_LINES = 8


def replace_once(text: str, find: str, new: str) -> str:
    """Replace the only occurrence of `find`."""
    find, new = _ending(text, find), _ending(text, new)
    count = text.count(find)
    if count != 1:
        raise ToolFailure(_count_message(text, find, count))
    return text.replace(find, new)


def replace_all(text: str, find: str, new: str) -> str:
    """Replace every occurrence of `find`; there must be one."""
    find, new = _ending(text, find), _ending(text, new)
    if find not in text:
        raise ToolFailure(_count_message(text, find, 0))
    return text.replace(find, new)


def insert_after(text: str, after: str, new: str) -> str:
    """Put `new` after the one line equal to `after`, or else the one line containing it."""
    lines = text.splitlines(keepends=True)
    bare = [line.rstrip("\r\n") for line in lines]
    after = after.rstrip("\r\n")
    places = [i for i, line in enumerate(bare) if line == after]
    places = places or [i for i, line in enumerate(bare) if line.strip() == after.strip()]
    places = places or [i for i, line in enumerate(bare) if after in line]
    if len(places) != 1:
        raise ToolFailure(_places_message("line", after, [i + 1 for i in places]))
    place = places[0]
    if not lines[place].endswith("\n"):
        lines[place] += _newline(text)
    lines.insert(place + 1, _own_lines(text, new))
    return "".join(lines)


def prepend(text: str, new: str) -> str:
    """`new` as lines of its own at the start."""
    return _own_lines(text, new) + text


def append(text: str, new: str) -> str:
    """`new` as lines of its own at the end."""
    if text and not text.endswith("\n"):
        text += _newline(text)
    return text + _own_lines(text, new)


def delete_lines(text: str, find: str) -> str:
    """Remove all lines that contain `find`; there must be one."""
    find = find.rstrip("\r\n")
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if find not in line]
    if len(kept) == len(lines):
        raise ToolFailure(f"no line contains {_quoted(find)}")
    return "".join(kept)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _ending(text: str, part: str) -> str:
    """A part written with plain newlines, as it would stand in a CRLF file."""
    if "\r\n" in text and "\r\n" not in part:
        return part.replace("\n", "\r\n")
    return part


def _own_lines(text: str, new: str) -> str:
    new = _ending(text, new)
    return new if new.endswith("\n") else new + _newline(text)


def _quoted(text: str) -> str:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return '"' + shown.replace("\n", "\\n") + '"'


def _count_message(text: str, find: str, count: int) -> str:
    if count == 0:
        return f"{_quoted(find)} does not occur"
    lines: list[int] = []
    start = text.find(find)
    while start >= 0 and len(lines) <= _SHOWN_LINES:
        lines.append(text.count("\n", 0, start) + 1)
        start = text.find(find, start + len(find))
    return f"{_quoted(find)} occurs {count} times, {_line_list(lines, count)}; give more of the text around it"


def _places_message(what: str, find: str, lines: list[int]) -> str:
    if not lines:
        return f"no {what} equals or contains {_quoted(find)}"
    return f"{len(lines)} {what}s match {_quoted(find)}, {_line_list(lines, len(lines))}; give the whole line"


def _line_list(lines: list[int], count: int) -> str:
    more = ", ..." if count > _SHOWN_LINES else ""
    return "on lines " + ", ".join(str(line) for line in lines[:_SHOWN_LINES]) + more
