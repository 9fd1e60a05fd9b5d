"""From a pydantic error to one sentence a person can act on: which field, what is wrong, what to type instead."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

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
    return InputError(what, where=where, field=dotted(schema, loc) or None, fix=fix)


def dotted(schema: Any, loc: Sequence[int | str]) -> str:
    """The key at `loc` as a person writes it: without the tags that pydantic adds where a tagged union is entered."""
    return ".".join(str(part) for part in untagged(schema, loc))


def untagged(schema: Any, loc: Sequence[int | str]) -> tuple[int | str, ...]:
    """`loc` without the tags of tagged unions: `stage.sft.optim.lr` is the key `stage.optim.lr`."""
    out: list[int | str] = []
    at, tags = schema, None
    for part in loc:
        if tags is not None and part in tags:
            at, tags = tags[part], None
            continue
        out.append(part)
        at, tags = _enter(at, part)
    return tuple(out)


def _enter(annotation: Any, part: int | str) -> tuple[Any, dict[Any, Any] | None]:
    """What lies at one step below an annotation, and its members by tag if it is a tagged union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _enter(get_args(annotation)[0], part)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return (field.annotation, _tags(field.annotation, field.discriminator)) if field else (None, None)
    if origin in (list, tuple, set, frozenset, dict):
        inner = [arg for arg in get_args(annotation) if arg is not Ellipsis]
        at = inner[-1] if inner and (origin is not tuple or len(set(inner)) == 1) else None
        return at, _tags(at)
    if origin in (Union, types.UnionType):
        for arg in get_args(annotation):
            at, tags = _enter(arg, part)
            if at is not None:
                return at, tags
    return None, None


def _tags(annotation: Any, discriminator: Any = None) -> dict[Any, Any] | None:
    """Tag -> member of a tagged union; None for anything else."""
    while get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        discriminator = next((note.discriminator for note in notes if isinstance(note, FieldInfo)), discriminator)
    if get_origin(annotation) in (Union, types.UnionType) and not isinstance(discriminator, str):
        # An optional tagged union: the tagged one is a member of a plain one.
        return next((tags for tags in map(_tags, get_args(annotation)) if tags), None)
    if not isinstance(discriminator, str):
        return None
    return {
        tag: model for model in _models(annotation) for tag in get_args(model.model_fields[discriminator].annotation)
    }


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
