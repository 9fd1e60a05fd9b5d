"""One trace over all services: a call carries the span it was made in, and the service's span goes on from it.

Without a tracer provider (the default) nothing is recorded; a caller's trace is passed on all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind

from hybrid_agent.config.gateway import Telemetry


def outgoing() -> tuple[tuple[str, str], ...]:
    """Metadata that names the current span, if there is one."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return tuple(carrier.items())


@contextmanager
def incoming(method: str, context: grpc.ServicerContext) -> Iterator[None]:
    """The span of one call that this thread answers."""
    shown = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    tracer = trace.get_tracer("services")
    with tracer.start_as_current_span(method.lstrip("/"), context=propagate.extract(shown), kind=SpanKind.SERVER):
        yield


def record(config: Telemetry, name: str) -> None:
    """Have this process record its spans as the config says.

    Raises:
        InputError: the exporter's package is not installed.
    """
    if config.exporter != "none":
        from services.gateway.telemetry import Tracing

        provider = Tracing(config, f"hybrid-agent-{name}").provider
        if provider is not None:
            trace.set_tracer_provider(provider)
