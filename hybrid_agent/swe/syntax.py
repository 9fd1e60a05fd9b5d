"""Small repairs of files that do not parse."""

from __future__ import annotations

from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit, edit
from hybrid_agent.swe.source import Source, parse

LINES = 3  # lines before the one the parser names that are tried too


def syntax_error(source: Source) -> SyntaxError | None:
    """Why a file does not parse, or None."""
    try:
        _ = source.tree
    except SyntaxError as error:
        return error
    return None


def syntax_edits(source: Source) -> Iterator[Edit]:
    """Edits of one or two characters after which the file parses, those at the parser's line first."""
    error = syntax_error(source)
    if error is None:
        return
    last = min(error.lineno or 1, len(source.starts))
    for line in range(last, max(0, last - 1 - LINES), -1):
        row = source.line_text(line)
        start, end = source.starts[line - 1], source.starts[line - 1] + len(row.rstrip())
        if not row.strip():
            continue
        options = [(end, end, new) for new in (":", ")", "]", "}", "'", '"', ",", "))", "):")]
        options += [(end - 1, end, ""), (end - 1, end, ":")]
        indent = len(row) - len(row.lstrip())
        options += [(start, start, "    "), (start, start + min(4, indent), "")]
        at = row.find(" = ")
        if at >= 0:
            options.append((start + at, start + at + 3, " == "))
        for column in range(indent, len(row)):
            if row[column] in "()[]{}:,'\"":
                options.append((start + column, start + column + 1, ""))
        for a, b, new in options:
            made = edit(source.path, a, b, new, "syntax.small", line, f"`{row[a - start : b - start]}` -> `{new}`")
            try:
                parse(made.apply(source.text))
            except SyntaxError:
                continue
            yield made
