"""`pattern` values, rewritten so that they mean one thing.

A JSON Schema pattern is an ECMA-262 expression, `jsonschema` reads it as a Python one and llguidance as a
Rust one. The three disagree on `.`, `\\d`, `\\w`, `\\s`, `$` and character-class syntax. Every pattern is
therefore parsed here and written again as an anchored expression without those differences: where the
readings differ, only strings on which ECMA and Python agree are let through. What cannot be written that
way (look-around, back references, word boundaries, anchors in the middle) is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# The standard library's own parser: the only reader that is by definition right about Python's meaning.
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as sre  # type: ignore[attr-defined]
from typing import Any

ANY_TEXT = "(?s:.*)"
MAX_REPEAT = 1000
_UNICODE_SPACE = r"\u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}"
# Character sets as (what both readings agree to contain, what either reading contains).
_SETS: dict[Any, tuple[str, str]] = {
    op.CATEGORY_DIGIT: ("0-9", r"\p{Nd}"),
    op.CATEGORY_WORD: ("0-9A-Za-z_", r"\p{L}\p{N}\p{M}_"),
    op.CATEGORY_SPACE: (r"\t\n\x0b\x0c\r " + _UNICODE_SPACE, r"\t\n\x0b\x0c\r \x1c-\x1f\x85\u{feff}" + _UNICODE_SPACE),
}
_NEGATED = {
    op.CATEGORY_NOT_DIGIT: op.CATEGORY_DIGIT,
    op.CATEGORY_NOT_WORD: op.CATEGORY_WORD,
    op.CATEGORY_NOT_SPACE: op.CATEGORY_SPACE,
}


class PatternError(ValueError):
    """The pattern cannot be enforced; the message says which construct is in the way."""


@lru_cache(maxsize=512)
def rewrite(pattern: str) -> str:
    """Return an anchored expression (`^(?:...)$`) for the strings that `pattern` is found in.

    Raises:
        PatternError: not a valid expression, or one that uses an unsupported construct.
    """
    if re.search(r"(?<!\\)(?:\\\\)*\{,", pattern):
        raise PatternError("'{,n}' is read differently by different engines, write '{0,n}'")
    if re.search(r"\\[AZaU]|\(\?P|\(\?#", pattern):
        raise PatternError("Python-only syntax is not part of JSON Schema patterns")
    try:
        parsed = sre.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"not a regular expression: {error}") from None
    if parsed.state.flags & ~re.UNICODE.value:
        raise PatternError("inline flags are not part of JSON Schema patterns")
    try:
        return f"^(?:{_sequence(list(parsed), True, True)})$"
    except RecursionError:
        raise PatternError("too deeply nested") from None


def _sequence(items: Sequence[Any], open_left: bool, open_right: bool) -> str:
    """Write a sequence; an open side may be preceded or followed by any text unless it is anchored."""
    items = list(items)
    while open_left and items and items[0] == (op.AT, op.AT_BEGINNING):
        items, open_left = items[1:], False
        while items and items[0] == (op.AT, op.AT_BEGINNING):
            items = items[1:]
    while open_right and items and items[-1] == (op.AT, op.AT_END):
        items, open_right = items[:-1], False
        while items and items[-1] == (op.AT, op.AT_END):
            items = items[:-1]
    if not items:
        return ANY_TEXT if open_left or open_right else ""
    parts = []
    for index, item in enumerate(items):
        left = open_left and index == 0
        right = open_right and index == len(items) - 1
        if (left or right) and item[0] in (op.BRANCH, op.SUBPATTERN):
            parts.append(_edge(item, left, right))
        else:
            parts.append((ANY_TEXT if left else "") + _item(item) + (ANY_TEXT if right else ""))
    return "".join(parts)


def _edge(item: Any, left: bool, right: bool) -> str:
    """Write a group or alternation that stands at an open side: its parts may hold the anchors."""
    kind, value = item
    if kind is op.SUBPATTERN:
        return f"(?:{_sequence(_group(value), left, right)})"
    return "(?:" + "|".join(_sequence(list(branch), left, right) for branch in value[1]) + ")"


def _group(value: Any) -> list[Any]:
    _, on, off, body = value
    if on or off:
        raise PatternError("inline flags are not part of JSON Schema patterns")
    return list(body)


def _item(item: Any) -> str:
    kind, value = item
    if kind is op.LITERAL:
        return _char(value)
    if kind is op.NOT_LITERAL:
        return f"[^{_char(value)}]"
    if kind is op.ANY:
        # ECMA's dot also stops at \r and the two Unicode line separators.
        return r"[^\n\r\u{2028}\u{2029}]"
    if kind is op.IN:
        return _class(value)
    if kind is op.BRANCH:
        return "(?:" + "|".join(_sequence(list(branch), False, False) for branch in value[1]) + ")"
    if kind is op.SUBPATTERN:
        return f"(?:{_sequence(_group(value), False, False)})"
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        low, high, body = value
        if low > MAX_REPEAT or (high is not op.MAXREPEAT and high > MAX_REPEAT):
            raise PatternError(f"a repeat above {MAX_REPEAT} makes too large a grammar")
        upper = "" if high is op.MAXREPEAT else str(high)
        return f"(?:{_sequence(list(body), False, False)}){{{low},{upper}}}"
    if kind is op.AT:
        raise PatternError("'^', '$' and word boundaries only work at the ends of the pattern")
    names = {op.ASSERT: "look-around", op.ASSERT_NOT: "look-around", op.GROUPREF: "a back reference"}
    raise PatternError(f"{names.get(kind, str(kind).lower().replace('_', ' '))} cannot be enforced token by token")


def _char(code: int) -> str:
    if 0xD800 <= code <= 0xDFFF:
        raise PatternError("half of a surrogate pair is not a character")
    char = chr(code)
    return char if char.isascii() and char.isalnum() else f"\\u{{{code:x}}}"


def _class(items: Sequence[Any]) -> str:
    """Write a character class. In a negated class the larger reading of each set is taken."""
    negated = bool(items) and items[0][0] is op.NEGATE
    body = ""
    for kind, value in items[1:] if negated else items:
        if kind is op.LITERAL:
            body += _char(value)
        elif kind is op.RANGE:
            body += f"{_char(value[0])}-{_char(value[1])}"
        elif kind is op.CATEGORY and value in _SETS:
            body += _SETS[value][1 if negated else 0]
        elif kind is op.CATEGORY and value in _NEGATED:
            body += f"[^{_SETS[_NEGATED[value]][0 if negated else 1]}]"
        else:
            raise PatternError("unsupported character class")
    return f"[{'^' if negated else ''}{body}]"
