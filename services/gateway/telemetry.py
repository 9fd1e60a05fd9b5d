"""OpenTelemetry traces. Off by default: then nothing is recorded and nothing leaves the process.

A request's span goes on from the caller's `traceparent`, a run's is linked to the request that asked for it, and each
turn is a span with its parts below it. While a turn is under way its span is the current one, so that clients of
other services can send it along.
"""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from importlib import import_module
from types import TracebackType
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.trace import Link, NoOpTracer, Span, SpanKind, Tracer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hybrid_agent.config.gateway import Telemetry
from hybrid_agent.errors import InputError
from hybrid_agent.types import Step

OTLP = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
PACKAGE = "opentelemetry-exporter-otlp-proto-http"


class Tracing:
    """A tracer for one service.

    Args:
        config: where spans go.
        service: the name of the service in them.

    Raises:
        InputError: the exporter's package is not installed.
    """

    def __init__(self, config: Telemetry, service: str = "hybrid-agent-gateway") -> None:
        self.provider: TracerProvider | None = None
        self.tracer: Tracer = NoOpTracer()
        if config.exporter == "none":
            return
        self.provider = TracerProvider(resource=Resource.create({"service.name": service}))
        if config.exporter == "console":
            self.provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
        else:
            try:
                exporter = import_module(OTLP).OTLPSpanExporter(endpoint=config.endpoint)
            except ImportError:
                fix = f"pip install {PACKAGE}"
                raise InputError("otlp needs another package", field="gateway.telemetry.exporter", fix=fix) from None
            self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self.provider.get_tracer("services.gateway")

    def run(self, run: str, goal: str, parent: object) -> RunSpans:
        """The spans of one run. `parent` is the span of the request that asked for it, if it is known."""
        links = [Link(parent.get_span_context())] if isinstance(parent, Span) else []
        return RunSpans(self.tracer, self.tracer.start_span("agent.run", links=links, attributes={"run.id": run}))

    def close(self) -> None:
        """Send what is left."""
        if self.provider is not None:
            self.provider.shutdown()


class RunSpans(AbstractContextManager["RunSpans"]):
    """One run's span, and one for each turn, in the thread that works on it."""

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer, self._span = tracer, span
        self._turn: Span | None = None
        self._tokens: list[Any] = []

    def __enter__(self) -> RunSpans:
        self._tokens.append(context.attach(trace.set_span_in_context(self._span)))
        return self

    def turn(self) -> None:
        """The next turn begins."""
        self._end_turn()
        self._turn = self._tracer.start_span("agent.turn")
        self._tokens.append(context.attach(trace.set_span_in_context(self._turn)))

    def step(self, step: Step) -> None:
        """The turn's step is known: its parts become spans that end now, one after the other."""
        if self._turn is None or not self._turn.is_recording():
            return
        at = time.time_ns()
        for part, ms in reversed(list(step.ms.model_dump().items())):
            begun = at - int(ms * 1e6)
            self._tracer.start_span(f"agent.{part}", start_time=begun).end(at)
            at = begun
        self._turn.set_attributes({"step.action": step.action, "step.ok": step.ok})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end_turn()
        if self._tokens:
            context.detach(self._tokens.pop())
        self._span.end()

    def _end_turn(self) -> None:
        if self._turn is not None:
            context.detach(self._tokens.pop())
            self._turn.end()
            self._turn = None


class RequestSpans:
    """A span for each HTTP request; streams of events end theirs when they end."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self.app, self.tracer = app, tracing.tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or isinstance(self.tracer, NoOpTracer):
            await self.app(scope, receive, send)
            return
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self.tracer.start_as_current_span(
            f"{scope['method']} {scope['path'][:100]}", context=propagate.extract(carrier), kind=SpanKind.SERVER
        ) as span:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self.app(scope, receive, noted)


def current_span() -> Span:
    """The span of the request that is being answered."""
    return trace.get_current_span()
