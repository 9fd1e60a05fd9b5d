"""What a sentence as people type it marks as a name: quoted parts, and words that look like names."""

from __future__ import annotations

import re

NAME_LIKE = r"\w[./]+\w|\d|_"  # a pattern: files, numbers, identifiers
# A single quote opens only where no word ends (not in "don't") and closes only where none begins.
_QUOTED = re.compile(r'"([^"\n]+)"|`([^`\n]+)`|(?<![A-Za-z0-9])\'([^\'\n]+)\'(?![A-Za-z0-9])')


def quoted(text: str) -> list[tuple[int, int, str]]:
    """Return (start, end, inner text) of each quoted part, quotes included in the positions, left to right."""
    return [(found.start(), found.end(), found.group(found.lastindex or 0)) for found in _QUOTED.finditer(text)]
