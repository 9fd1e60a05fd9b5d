"""Calling a service: one channel each, deadlines from our own caller, and patience with a service that is restarted."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import grpc
import grpc.experimental
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hybrid_agent.config.serve import AuthConfig, ClientConfig
from hybrid_agent.errors import Cancelled
from services import wire
from services.address import Address, read_file, read_token
from services.call import current_call, time_for
from services.spans import outgoing
from services.status import error_of

T = TypeVar("T")
PAUSE_S, PAUSE_MOST_S = 0.05, 1.0
# Answers of a stream are read by the thread that asks for them: gRPC's own thread for that, and waking ours, took half
# of the client's CPU time of a stream. The option is marked experimental and may be left out.
OWN_THREAD = (grpc.experimental.ChannelOptions.SingleThreadedUnaryStream, 1)
RECONNECT_MS = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.min_reconnect_backoff_ms", 50))


class Channel:
    """A way to one service.

    Args:
        part: its name, for errors.
        address: where it listens.
        auth: our token and certificates.
        config: timeouts and patience.
        message_mb: the largest message.
    """

    def __init__(
        self,
        part: str,
        address: Address,
        auth: AuthConfig | None = None,
        config: ClientConfig | None = None,
        message_mb: float = 64.0,
    ) -> None:
        self.part, self.address, self.config = part, address, config or ClientConfig()
        auth = auth or AuthConfig()
        token = read_token(auth)
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        size = int(message_mb * 2**20)
        options = (
            ("grpc.max_receive_message_length", size),
            ("grpc.max_send_message_length", size),
            ("grpc.max_reconnect_backoff_ms", 1000),
            *RECONNECT_MS,
            OWN_THREAD,
        )
        if address.path is None and auth.tls is not None:
            tls = auth.tls
            credentials = grpc.ssl_channel_credentials(
                read_file(tls.ca, "ca"), read_file(tls.key, "key"), read_file(tls.cert, "cert")
            )
            self.grpc = grpc.secure_channel(address.target, credentials, options)
        else:
            self.grpc = grpc.insecure_channel(address.target, options)

    def ask(self, method: Any, request: Any, timeout_s: float | None = None) -> Any:
        """One answer.

        Args:
            method: of a stub on `self.grpc`.
            request: its message; sending it twice must do no harm, for it is sent again while the service is away.
            timeout_s: seconds for each try; None: the config's. Our own caller's deadline holds in any case.

        Raises:
            InfraError: the service is away, overloaded, too slow, or failed; names it.
            InputError: it refused the request.
        """
        return self.again(lambda: self._once(method, request, timeout_s))

    def stream(self, method: Any, request: Any, timeout_s: float | None = None) -> Iterator[Any]:
        """The answers of a streaming method, without a second try. Closing the iterator cancels the call.

        Raises:
            InfraError, InputError: as `ask`.
        """
        call = method(
            request, timeout=time_for(timeout_s or self.config.call_s), metadata=(*self._metadata, *outgoing())
        )
        try:
            with _with_ours(call.cancel):
                yield from call
        except grpc.RpcError as failure:
            raise _marked(error_of(failure, self.part), failure) from None
        finally:
            call.cancel()

    def again(self, attempt: Callable[[], T]) -> T:
        """Do it until it works, fails for another reason than the service being away, or patience ends."""
        until = time.monotonic() + time_for(self.config.patience_s)
        pause = PAUSE_S
        while True:
            try:
                return attempt()
            except Exception as error:
                if not away(error) or time.monotonic() + pause > until:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, PAUSE_MOST_S)
            call = current_call()
            if call is not None:
                call.check()

    def healthy(self, timeout_s: float = 5.0) -> bool:
        """Does the service answer, and say that it serves?"""
        stub = health_pb2_grpc.HealthStub(self.grpc)
        try:
            reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout_s, wait_for_ready=False)
        except grpc.RpcError:
            return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)

    def close(self) -> None:
        """Close the connection."""
        self.grpc.close()

    def _shown(self) -> tuple[tuple[str, str], ...]:
        """Our token, and the trace that the call belongs to."""
        return (*self._metadata, *outgoing())

    def _once(self, method: Any, request: Any, timeout_s: float | None) -> Any:
        seconds = time_for(timeout_s or self.config.call_s)
        try:
            if current_call() is None:
                return method(request, timeout=seconds, metadata=self._shown())
            future = method.future(request, timeout=seconds, metadata=self._shown())
            with _with_ours(future.cancel):
                return future.result()
        except grpc.FutureCancelledError:
            raise Cancelled(f"a call of the {self.part} service was cancelled") from None
        except grpc.RpcError as failure:
            raise _marked(error_of(failure, self.part), failure) from None


def away(error: Exception) -> bool:
    """Did the service not answer at all, so that another try may find it?"""
    return bool(getattr(error, "away", False))


def _marked(error: Exception, failure: grpc.RpcError) -> Exception:
    code = failure.code() if isinstance(failure, grpc.Call) else None
    error.away = code is grpc.StatusCode.UNAVAILABLE  # type: ignore[attr-defined]
    return error


def _with_ours(cancel: Callable[[], Any]) -> Any:
    """End a call onwards when the call that we answer ends."""
    call = current_call()
    return contextlib.nullcontext() if call is None else call.then(cancel)


def about(channel: Channel, stub: Any) -> dict[str, Any]:
    """What a service says of itself."""
    found = json.loads(channel.ask(stub.About, wire.common_pb2.AboutRequest()).about)
    assert isinstance(found, dict)
    return found
