"""One table: which exception is which gRPC status, both ways.

A server answers with the status and, beside it, the error as JSON in trailing metadata; the client raises the same
error again. What is not in the table is a bug of ours: INTERNAL, its text stays in the server's log.
"""

from __future__ import annotations

import json
from typing import Any

import grpc

from hybrid_agent.errors import Cancelled, HybridAgentError, InfraError, InputError, Overloaded, SandboxError
from hybrid_agent.tools.failure import ToolFailure

Code = grpc.StatusCode
METADATA = "hybrid-error-bin"
LONGEST = 2000  # characters of an error's text; metadata has a limit


class NotFound(InputError):
    """There is no session of that name."""


class NeedsHistory(HybridAgentError):
    """The planner does not have the steps before this one."""


class Refused(HybridAgentError):
    """No token, or the wrong one."""


class OutOfTime(InfraError):
    """The caller's deadline has passed."""


class Missing(HybridAgentError):
    """This service does not have the part that was asked for."""


TABLE: tuple[tuple[type[BaseException], grpc.StatusCode], ...] = (
    (NotFound, Code.NOT_FOUND),
    (InputError, Code.INVALID_ARGUMENT),
    (NeedsHistory, Code.FAILED_PRECONDITION),
    (ToolFailure, Code.FAILED_PRECONDITION),
    (Refused, Code.UNAUTHENTICATED),
    (Overloaded, Code.RESOURCE_EXHAUSTED),
    (MemoryError, Code.RESOURCE_EXHAUSTED),
    (OutOfTime, Code.DEADLINE_EXCEEDED),
    (Cancelled, Code.CANCELLED),
    (Missing, Code.UNIMPLEMENTED),
    (SandboxError, Code.ABORTED),
    (InfraError, Code.UNAVAILABLE),
)


def status_of(error: BaseException) -> tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]:
    """Status, text and trailing metadata for an error that a handler raised."""
    code = next((code for kind, code in TABLE if isinstance(error, kind)), None)
    if code is None:
        return Code.INTERNAL, "internal error; see the service's log", ()
    text = str(error)[:LONGEST] or type(error).__name__
    body: dict[str, Any] = {"kind": _kind(error), "text": text}
    if isinstance(error, InputError):
        body |= {"what": error.what[:LONGEST], "where": error.where, "field": error.field, "fix": error.fix}
    if isinstance(error, ToolFailure):
        body |= {"denied": error.denied}
    return code, _one_line(text), ((METADATA, json.dumps(body).encode()),)


def error_of(failure: grpc.RpcError, part: str) -> Exception:
    """The error to raise in the client for a call of `part` that failed."""
    code = failure.code() if isinstance(failure, grpc.Call) else Code.UNKNOWN
    said = str(failure.details() or "") if isinstance(failure, grpc.Call) else str(failure)
    body = _body(failure)
    kind = body.get("kind")
    if kind in ("InputError", "NotFound"):
        made = NotFound if kind == "NotFound" else InputError
        return made(str(body.get("what")), where=body.get("where"), field=body.get("field"), fix=body.get("fix"))
    if kind == "ToolFailure":
        return ToolFailure(str(body.get("text")), denied=body.get("denied"))
    if kind == "SandboxError":
        return SandboxError(str(body.get("text")))
    if kind == "NeedsHistory":
        return NeedsHistory(said)
    if kind == "Missing":
        return Missing(f"the {part} service: {said}")
    if code is Code.CANCELLED:
        return Cancelled(f"a call of the {part} service was cancelled")
    if code is Code.DEADLINE_EXCEEDED:
        return OutOfTime(f"the {part} service did not answer in time")
    if code is Code.UNAVAILABLE:
        return InfraError(f"the {part} service is away: {said}")
    if code is Code.RESOURCE_EXHAUSTED:
        return Overloaded(f"the {part} service is overloaded: {said}")
    if code is Code.UNAUTHENTICATED:
        return InfraError(f"the {part} service refused us: {said}")
    return InfraError(f"the {part} service failed: {code.name.lower()}: {said}")


def _kind(error: BaseException) -> str:
    """The name under which the client knows the error: that of the table's class, or of one below it known here."""
    for kind in (NotFound, InputError, NeedsHistory, ToolFailure, SandboxError, Missing):
        if isinstance(error, kind):
            return kind.__name__
    return "InfraError"


def _body(failure: grpc.RpcError) -> dict[str, Any]:
    if not isinstance(failure, grpc.Call):
        return {}
    for key, value in failure.trailing_metadata() or ():
        if key == METADATA:
            try:
                found = json.loads(value)
            except ValueError:
                return {}
            return found if isinstance(found, dict) else {}
    return {}


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
