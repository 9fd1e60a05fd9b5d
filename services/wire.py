"""Types to messages and back. Whole records travel as JSON text and are validated when they arrive.

This module makes the generated modules available: import messages and stubs from here.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from hybrid_agent.config.explain import dotted, explain
from hybrid_agent.errors import InputError
from hybrid_agent.types import Check
from services.proto.build import ensure

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # our children are exec'd at once; the handlers only warn
ensure()

from services.hybrid.v1 import (  # noqa: E402
    common_pb2,
    decoder_pb2,
    decoder_pb2_grpc,
    memory_pb2,
    memory_pb2_grpc,
    planner_pb2,
    planner_pb2_grpc,
    scorer_pb2,
    scorer_pb2_grpc,
    tools_pb2,
    tools_pb2_grpc,
)

__all__ = [
    "checks_of",
    "common_pb2",
    "decoder_pb2",
    "decoder_pb2_grpc",
    "dump",
    "key_of",
    "load",
    "load_all",
    "memory_pb2",
    "memory_pb2_grpc",
    "planner_pb2",
    "planner_pb2_grpc",
    "scorer_pb2",
    "scorer_pb2_grpc",
    "session_of",
    "tools_pb2",
    "tools_pb2_grpc",
]

R = TypeVar("R", bound=BaseModel)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_TAKEN = ("memory",)  # a folder beside those of the sessions
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


def dump(record: BaseModel) -> str:
    """A record as JSON text.

    Raises:
        InputError: it holds text that is not Unicode (a lone surrogate).
    """
    try:
        return record.model_dump_json()
    except (PydanticSerializationError, UnicodeError) as error:
        raise InputError(f"cannot be sent: {error}", field=type(record).__name__.lower()) from None


def load(model: type[R], text: str, field: str) -> R:
    """The record that a field of a message holds.

    Raises:
        InputError: it is no such record; names the field.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _explained(error, model, field) from None


def load_all(model: type[R], texts: Iterable[str], field: str, most: int) -> list[R]:
    """The records of a repeated field, `most` at most.

    Raises:
        InputError: one is no such record, or there are too many; names the field.
    """
    given = _counted(list(texts), field, most)
    return [load(model, text, f"{field}.{at}") for at, text in enumerate(given)]


@functools.cache
def _check() -> TypeAdapter[Any]:
    return TypeAdapter(Check)


def checks_of(texts: Sequence[str], field: str, most: int = 64) -> list[Check]:
    """The checks of a repeated field.

    Raises:
        InputError: one is no check, or there are too many; names the field.
    """
    found: list[Check] = []
    for at, text in enumerate(_counted(texts, field, most)):
        try:
            found.append(_check().validate_json(text))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join([field, str(at), *(str(part) for part in first["loc"])])
            raise InputError(first["msg"], field=place) from None
    return found


def session_of(text: str, field: str = "session") -> str:
    """A session's name, which also names a folder.

    Raises:
        InputError: it is not 1 to 80 letters, digits, '-' or '_'.
    """
    if not _NAME.fullmatch(text) or text in _TAKEN:
        raise InputError("not a session's name", field=field, fix="use 1 to 80 letters, digits, '-' and '_'")
    return text


def key_of(text: str, field: str = "key") -> str:
    """An idempotency key.

    Raises:
        InputError: it is not 8 to 64 letters, digits, '-' or '_'.
    """
    if not _KEY.fullmatch(text):
        raise InputError("not a key", field=field, fix="use 8 to 64 letters, digits, '-' and '_', new for each call")
    return text


def _counted(texts: Sequence[str], field: str, most: int) -> Sequence[str]:
    if len(texts) > most:
        raise InputError(f"{len(texts)} are too many", field=field, fix=f"send {most} at most")
    return texts


def _explained(error: ValidationError, model: type[BaseModel], field: str) -> InputError:
    problem = error.errors(include_url=False)[0]
    inside = dotted(model, problem["loc"])
    said = explain(error, model)
    return InputError(said.what, field=f"{field}.{inside}" if inside else field, fix=said.fix)
