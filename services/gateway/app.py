"""The gateway as an ASGI application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from hybrid_agent.config.serve import ServeConfig
from hybrid_agent.types import Record
from services.gateway import agent_api, openai_api, page
from services.gateway.answers import AsciiJSON
from services.gateway.auth import Guard, is_loopback
from services.gateway.chats import Chats
from services.gateway.metrics import Metrics
from services.gateway.parts import Parts
from services.gateway.problems import ErrorBody, install
from services.gateway.runs import Runs
from services.gateway.telemetry import RequestSpans, Tracing

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": text}
    for status, text in (
        (400, "the request is wrong"),
        (401, "a token is needed"),
        (403, "called under a foreign name, or by another site's page"),
        (404, "there is no such thing"),
        (405, "not with this method"),
        (409, "not in this state"),
        (410, "the workspace is gone"),
        (413, "too large"),
        (429, "too much is waiting; see Retry-After"),
        (503, "something that is needed is away; see Retry-After"),
    )
}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Health(Record):
    """The gateway answers."""

    status: str = "ok"


def make_app(config: ServeConfig, runs_root: Path, parts: Parts, token: str | None) -> FastAPI:
    """The application; its runs are picked up when it starts and left when it ends.

    Raises:
        InputError: another gateway has the runs, or the exporter of traces is not installed.
    """
    gateway = config.gateway
    metrics, tracing = Metrics(), Tracing(gateway.telemetry)
    runs = Runs(runs_root, config, parts, metrics, tracing)
    chats = Chats(gateway.chat, parts, metrics)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.picked_up = await run_in_threadpool(runs.start)
        yield
        chats.close()
        await run_in_threadpool(runs.close, gateway.drain_s)
        parts.close()
        tracing.close()

    app = FastAPI(
        title="hybrid-agent gateway",
        version="1",
        description="Agent runs with live events, and an OpenAI-compatible chat endpoint.",
        lifespan=life,
        redirect_slashes=False,
        docs_url=None,  # the viewers would load scripts from elsewhere
        redoc_url=None,
        responses=PROBLEMS,
        default_response_class=AsciiJSON,
    )
    app.state.config, app.state.token, app.state.started = config, token, int(time.time())
    app.state.runs, app.state.chats, app.state.model = runs, chats, parts.about(None).model
    install(app)

    @app.get("/healthz", tags=["watching"])
    async def healthz() -> Health:
        """Whether the gateway answers."""
        return Health()

    @app.get(
        "/metrics",
        tags=["watching"],
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def figures(request: Request) -> Response:
        """Figures for Prometheus."""
        return Response(await run_in_threadpool(metrics.text), media_type=CONTENT_TYPE_LATEST)

    for router in (openai_api.router, agent_api.router, page.router):
        app.include_router(router)
    if page.WEB.is_dir():
        app.mount("/static", page.Static(directory=page.WEB))
    app.add_middleware(RequestSpans, tracing=tracing)
    names = frozenset((*LOOPBACK, *gateway.names, *((gateway.host,) if is_loopback(gateway.host) else ())))
    app.add_middleware(Guard, token=token, names=names, body_bytes=int(gateway.body_mb * 2**20))
    return app
