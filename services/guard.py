"""What stands before every handler: the token, bad messages, deadlines, and the one table of statuses."""

from __future__ import annotations

import contextlib
import hmac
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from hybrid_agent.errors import InputError
from services.call import Call, answering
from services.spans import incoming
from services.status import Refused, status_of

log = logging.getLogger("services")
HEALTH = "/grpc.health.v1.Health/"
Observer = Callable[[str, str, float], None]  # method, status, seconds


class _Bad:
    """Stands for a message that could not be read."""

    def __init__(self, error: Exception) -> None:
        self.error = InputError(f"not a message of this kind: {error}"[:300], field="message")


class Guard(grpc.ServerInterceptor):  # type: ignore[misc]
    """Wraps every method of a server.

    Args:
        token: what callers must show; None: nothing. Health is answered without it.
        observe: told of each call that has ended.
    """

    def __init__(self, token: str | None = None, observe: Observer | None = None) -> None:
        self._wanted = None if token is None else f"Bearer {token}".encode()
        self._observe = observe

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Part of gRPC's interface."""
        handler = continuation(details)
        if handler is None:
            return None
        allowed = self._wanted is None or details.method.startswith(HEALTH) or self._shown(details)
        return _rebuilt(handler, lambda inner: self._guarded(details.method, handler, inner, allowed))

    def _shown(self, details: grpc.HandlerCallDetails) -> bool:
        given = [value for key, value in details.invocation_metadata or () if key == "authorization"]
        return any(hmac.compare_digest(str(value).encode(), self._wanted or b"") for value in given)

    def _guarded(self, method: str, handler: Any, inner: Any, allowed: bool) -> Any:
        def enter(request: Any) -> Any:
            if not allowed:
                raise Refused("this service needs a token")
            if isinstance(request, _Bad):
                raise request.error
            return _checked(request) if handler.request_streaming else request

        def one(request: Any, context: grpc.ServicerContext) -> Any:
            with self._answered(method, context) as call:
                request = enter(request)
                call.check()
                return inner(request, context)

        def many(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._answered(method, context) as call:
                request = enter(request)
                call.check()
                yield from inner(request, context)

        return many if handler.response_streaming else one

    @contextlib.contextmanager
    def _answered(self, method: str, context: grpc.ServicerContext) -> Iterator[Call]:
        """One call, whose errors become its status."""
        begun, status = time.perf_counter(), "OK"
        try:
            with incoming(method, context), answering(context) as call:
                yield call
        except GeneratorExit:  # nobody reads the rest of the stream
            status = "CANCELLED"
            raise
        except Exception as error:
            code, text, metadata = _status(method, error)
            status = code.name
            context.set_trailing_metadata(metadata)
            context.abort(code, text)
        finally:
            if self._observe is not None:
                self._observe(method, status, time.perf_counter() - begun)


def _status(method: str, error: Exception) -> Any:
    found = status_of(error)
    if found[0] is grpc.StatusCode.INTERNAL:
        log.error("%s failed", method, exc_info=error)
    return found


def _rebuilt(handler: Any, wrap: Callable[[Any], Any]) -> Any:
    """The same kind of handler around another function, with a reader that does not give up on bad bytes."""
    kinds = {
        (False, False): (grpc.unary_unary_rpc_method_handler, handler.unary_unary),
        (False, True): (grpc.unary_stream_rpc_method_handler, handler.unary_stream),
        (True, False): (grpc.stream_unary_rpc_method_handler, handler.stream_unary),
        (True, True): (grpc.stream_stream_rpc_method_handler, handler.stream_stream),
    }
    make, inner = kinds[handler.request_streaming, handler.response_streaming]
    read = handler.request_deserializer

    def reader(data: bytes) -> Any:
        try:
            return read(data)
        except Exception as error:
            return _Bad(error)

    return make(wrap(inner), request_deserializer=reader, response_serializer=handler.response_serializer)


def _checked(requests: Iterator[Any]) -> Iterator[Any]:
    for request in requests:
        if isinstance(request, _Bad):
            raise request.error
        yield request
