"""Every answer that is no success, in the form that OpenAI's clients understand, from one table."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hybrid_agent.errors import GrammarError, InfraError, InputError, SandboxError
from services.gateway.answers import AsciiJSON
from services.gateway.chat_types import NEUTRAL_ONLY

LOG = logging.getLogger("services.gateway")
INVALID = "invalid_request_error"
RETRY_S = 5


class ErrorDetail(BaseModel):
    """What is wrong; `param` names the field of the request."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """The body of every answer that is no success."""

    error: ErrorDetail


class ApiError(Exception):
    """Answers the request with an error. `retry_s` becomes the header Retry-After."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID,
        param: str | None = None,
        code: str | None = None,
        retry_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.retry_s = status, retry_s
        self.detail = ErrorDetail(message=message, type=kind, param=param, code=code)

    @classmethod
    def overloaded(cls, message: str) -> ApiError:
        """Too much is waiting already."""
        return cls(429, message, kind="overloaded_error", code="queue_full", retry_s=RETRY_S)

    @classmethod
    def away(cls, message: str) -> ApiError:
        """Something that the answer needs is not there now."""
        return cls(503, message, kind="unavailable_error", code="unavailable", retry_s=RETRY_S)

    def response(self) -> Response:
        """The HTTP answer."""
        body = ErrorBody(error=self.detail)
        headers = {"Retry-After": str(self.retry_s)} if self.retry_s else {}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return AsciiJSON(body.model_dump(), self.status, headers)


def explained(error: Exception) -> ApiError:
    """The table: what each of our exceptions means to a client."""
    match error:
        case ApiError():
            return error
        case GrammarError():
            return ApiError(400, str(error), param=error.field, code="unsupported_schema")
        case InputError(field="messages"):
            return ApiError(400, error.what, param="messages", code="context_length_exceeded")
        case InputError():
            return ApiError(400, error.what, param=error.field)
        case InfraError() | SandboxError():
            return ApiError.away(str(error))
    LOG.error("a request failed", exc_info=error)
    return ApiError(500, "this is a mistake in the server; its log says more", kind="server_error")


def install(app: FastAPI) -> None:
    """Have an app answer all its errors this way."""

    async def ours(request: Request, error: Exception) -> Response:
        return explained(error).response()

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _invalid(error).response()

    async def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        found = ApiError(error.status_code, str(error.detail)).response()
        for name, value in (error.headers or {}).items():
            found.headers[name] = value
        return found

    for kind in (ApiError, InputError, InfraError, SandboxError, Exception):
        app.add_exception_handler(kind, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)


def _invalid(error: RequestValidationError) -> ApiError:
    first: dict[str, Any] = error.errors()[0]
    loc = [part for part in first["loc"][1:] if not str(part).startswith(("function-", "lax-or-strict"))]
    param = ".".join(str(part) for part in loc) or None
    message, code = str(first["msg"]).removeprefix("Value error, "), None
    if first["type"] == "extra_forbidden":
        message, code = f"Unrecognized request argument supplied: {loc[-1]}", "unknown_parameter"
    elif first["type"] == "json_invalid":
        message, param = f"the body is not JSON: {first.get('ctx', {}).get('error', '')}", None
    elif loc and loc[0] in NEUTRAL_ONLY:
        message, code = f"{loc[0]} is not supported by this server: leave it out", "unsupported_parameter"
    elif param:
        message = f"{param}: {message}"
    return ApiError(400, message, param=param, code=code)
