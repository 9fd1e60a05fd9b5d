"""One clear line out of pydantic's list of complaints: the field, what is wrong with it, and what to write instead."""

from __future__ import annotations

import difflib
import re
from typing import Any

from pydantic import ValidationError

from hybrid_agent.errors import InputError

_FIXES = {
    "string_type": "a string",
    "missing": "add it",
    "list_type": "a list",
    "tuple_type": "a list",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "model_type": "an object {...}",
    "model_attributes_type": "an object {...}",
    "dict_type": "an object {...}",
    "string_too_short": "give some text",
    "string_too_long": "a shorter text",
    "too_short": "at least one entry",
    "too_long": "fewer entries",
}


def shown(value: object, limit: int = 40) -> str:
    """A value on one line, cut, with every odd character escaped."""
    try:
        text = ascii(value)
    except (RecursionError, ValueError):  # nested without end, or a number of thousands of digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def complaint(error: ValidationError, *, field: str, value: Any, where: str = "call") -> InputError:
    """The first complaint as an InputError; `value` is the input that was checked, `field` its name."""
    first = error.errors(include_url=False, include_context=True)[0]
    kind, context = first["type"], first.get("ctx") or {}
    dotted = ".".join([field, *_real_location(first["loc"], value)])
    if kind == "union_tag_not_found":
        tag = str(context.get("discriminator", "op")).strip("'")
        return InputError(
            "is missing", where=where, field=f"{dotted}.{tag}", fix="one of the operations in docs/tools.md"
        )
    if kind == "union_tag_invalid":
        tag = str(context.get("discriminator", "op")).strip("'")
        expected = str(context.get("expected_tags", "")).replace("'", "")
        given = str(context.get("tag", ""))
        close = difflib.get_close_matches(given, expected.split(", "), 1)
        fix = close[0] if close else "one of " + expected
        return InputError(f"there is no {tag} {shown(given)}", where=where, field=f"{dotted}.{tag}", fix=fix)
    if kind == "literal_error":
        fix = "one of " + str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        return InputError(f"cannot be {shown(first['input'])}", where=where, field=dotted, fix=fix)
    if kind == "extra_forbidden":
        return InputError("is not a field here", where=where, field=dotted, fix="remove it")
    if kind == "missing":
        return InputError("is missing", where=where, field=dotted, fix="add it")
    if kind == "string_pattern_mismatch":
        return InputError(
            f"{shown(first['input'])} is not allowed", where=where, field=dotted, fix="octal digits such as 644"
        )
    what = re.sub(r"\s+", " ", str(first["msg"]))
    what = what[0].lower() + what[1:]
    return InputError(f"{what}, not {shown(first['input'])}", where=where, field=dotted, fix=_FIXES.get(kind, what))


def _real_location(location: tuple[int | str, ...], value: Any) -> list[str]:
    """Pydantic puts union tags into the location; keep only the parts that exist in the input, and the last one."""
    parts: list[str] = []
    for place, part in enumerate(location):
        last = place == len(location) - 1
        if isinstance(part, int) and isinstance(value, list | tuple):
            parts.append(str(part))
            value = value[part] if part < len(value) else None
        elif isinstance(part, str) and isinstance(value, dict) and part in value and not _is_tag(part, value):
            parts.append(_plain(part))
            value = value[part]
        elif last and not _is_tag(part, value):
            parts.append(_plain(part))
    return parts


def _is_tag(part: int | str, value: Any) -> bool:
    return isinstance(value, dict) and part in (value.get("op"), value.get("kind")) and part not in value


def _plain(part: int | str) -> str:
    text = str(part)
    return text if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", text) else shown(text)
