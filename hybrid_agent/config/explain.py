"""From a pydantic error to one sentence a person can act on: which field, what is wrong, what to type instead."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from hybrid_agent.errors import InputError


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option closest in spelling to `word`, or None if nothing is close."""
    close = difflib.get_close_matches(word, list(options), n=1, cutoff=0.5)
    return close[0] if close else None


def explain(error: ValidationError, schema: type[BaseModel], *, where: str | None = None) -> InputError:
    """The first problem of a validation error as an `InputError` with field and fix (and how many more there are)."""
    problems = error.errors(include_url=False, include_context=True)
    first = problems[0]
    loc = first["loc"]
    what, fix = _what_and_fix(first, schema)
    if len(problems) > 1:
        what += f", and {len(problems) - 1} more problem{'s' if len(problems) > 2 else ''}"
    return InputError(what, where=where, field=".".join(str(part) for part in loc) or None, fix=fix)


def keys_at(schema: Any, loc: Sequence[int | str]) -> list[str]:
    """Field names that are valid inside the model found at `loc` (unions: of all their members)."""
    models = _models(schema)
    for part in loc:
        deeper: list[type[BaseModel]] = []
        for model in models:
            if isinstance(part, str) and part in model.model_fields:
                deeper += _models(model.model_fields[part].annotation)
        # List indices and the tags of unions are steps in a location that stay on the same models.
        models = deeper or models
    return sorted({name for model in models for name in model.model_fields})


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = get_origin(annotation)
    if origin is Annotated:
        return _models(get_args(annotation)[0])
    if origin in (Union, types.UnionType, list, tuple, dict, set, frozenset):
        return [model for arg in get_args(annotation) for model in _models(arg)]
    return []


def _what_and_fix(problem: Any, schema: type[BaseModel]) -> tuple[str, str]:
    kind, loc, context = problem["type"], problem["loc"], problem.get("ctx", {})
    name = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        valid = [key for key in keys_at(schema, loc[:-1]) if key != name]
        close = nearest(name, valid)
        fix = f"did you mean {close!r}?" if close else "remove it; valid here: " + (", ".join(valid) or "nothing")
        return "unknown key", fix
    if kind == "missing":
        return "required, but not given", f"add {name!r}"
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        expected = str(context.get("expected") or context.get("expected_tags") or "")
        given = _shown(context.get("tag") if kind == "union_tag_invalid" else problem["input"])
        options = [option.strip(" '\"") for option in expected.replace(" or ", ", ").split(",")]
        close = nearest(given.strip("'"), options)
        return f"{given} is not allowed here", (f"did you mean {close!r}? " if close else "") + f"use one of {expected}"
    if kind == "union_tag_not_found":
        tag = str(context.get("discriminator", "its kind")).strip("'")
        return f"the key {tag!r} is missing, which says what this is", f"add {tag!r}"
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    given = "" if kind.startswith("json") else f" (given: {_shown(problem['input'])})"
    return message + given, _expectation(kind, name)


def _expectation(kind: str, name: str) -> str:
    if kind == "json_invalid":
        return "write one valid JSON object"
    for prefix, noun in (
        ("int", "a whole number"),
        ("float", "a number"),
        ("finite", "a finite number"),
        ("bool", "true or false"),
        ("string_type", "a text"),
        ("tuple", "a list"),
        ("list", "a list"),
        ("dict", "a mapping"),
        ("model", "a mapping"),
    ):
        if kind.startswith(prefix):
            return f"write {noun} for {name!r}" if name else f"write {noun}"
    return f"change {name!r} so that it fits" if name else "change it so that it fits"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
