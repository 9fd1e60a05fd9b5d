"""Checks on the plain values inside a schema: counts, bounds, and constants that can be written down."""

from __future__ import annotations

import math
import re
from typing import Any

from hybrid_agent.constrain.problem import problem, step

MAX_COUNT = 1_000_000
EXACT = 2**53  # beyond this the library's float64 bounds no longer name one integer
_UNWRITABLE = re.compile("[\x00-\x07\x0b\x0e-\x1f\x7f\ud800-\udfff]")


def check_count(value: Any, at: str) -> int:
    """Return a length, item or property count.

    Raises:
        GrammarError: not a whole number from 0 to 1,000,000.
    """
    if isinstance(value, float) and value.is_integer() and math.isfinite(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise problem(at, "must be a whole number, 0 or more")
    if value > MAX_COUNT:
        raise problem(at, f"counts above {MAX_COUNT:,} cannot be enforced")
    return value


def check_number(value: Any, at: str) -> int | float:
    """Return a numeric bound or constant.

    Raises:
        GrammarError: not a finite number, or one that float64 does not hold exactly.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise problem(at, "must be a number")
    if not math.isfinite(value):
        raise problem(at, "must be a finite number")
    if abs(value) > EXACT:
        raise problem(at, "numbers beyond 2^53 cannot be enforced exactly", "use a string with a pattern")
    if isinstance(value, float) and value != 0 and abs(value) < 1e-9:
        raise problem(at, "numbers smaller than 1e-9 cannot be enforced exactly")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def check_text(value: Any, at: str) -> str:
    """Return a string that the constraint can spell out.

    Raises:
        GrammarError: not a string, or it holds a character that has no single spelling here (control characters
            other than tab, newline, return, form feed and backspace; DEL; half a surrogate pair).
    """
    if not isinstance(value, str):
        raise problem(at, "must be a string")
    if found := _UNWRITABLE.search(value):
        raise problem(at, f"holds the character U+{ord(found.group()):04X}, which the constraint never writes")
    return value


def check_constant(value: Any, at: str, depth: int = 0) -> Any:
    """Return a JSON value that the constraint can spell out, with numbers normalised.

    Raises:
        GrammarError: the value is not JSON or cannot be written exactly.
    """
    if depth > 64:
        raise problem(at, "is nested too deeply")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return check_number(value, at)
    if isinstance(value, str):
        return check_text(value, at)
    if isinstance(value, list | tuple):
        return [check_constant(item, step(at, index), depth + 1) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {check_text(key, at): check_constant(item, step(at, key), depth + 1) for key, item in value.items()}
    raise problem(at, f"{type(value).__name__} is not a JSON value")
