"""Quoted parts of a sentence as people type it."""

from __future__ import annotations

import re

# A single quote opens only where no word ends (not in "don't") and closes only where none begins.
_QUOTED = re.compile(r'"([^"\n]+)"|`([^`\n]+)`|(?<![A-Za-z0-9])\'([^\'\n]+)\'(?![A-Za-z0-9])')


def quoted(text: str) -> list[tuple[int, int, str]]:
    """Return (start, end, inner text) of each quoted part, quotes included in the positions, left to right."""
    return [(found.start(), found.end(), found.group(found.lastindex or 0)) for found in _QUOTED.finditer(text)]
