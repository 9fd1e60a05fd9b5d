"""The routes of agent runs."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request
from fastapi import Path as InPath
from fastapi.responses import Response
from pydantic import Field
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from hybrid_agent.types import Record
from services.gateway.events import DiffData
from services.gateway.problems import ApiError
from services.gateway.requests import (
    Answer,
    ArtifactList,
    RollbackRequest,
    RunDetail,
    RunId,
    RunList,
    RunRequest,
    RunStarted,
)
from services.gateway.runs import Runs
from services.gateway.stream import follow
from services.gateway.telemetry import current_span

router = APIRouter(prefix="/v1/agent/runs", tags=["agent runs"])
After = Annotated[int, Query(ge=0, le=10**9, description="the last event that is known already")]
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "server-sent events", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
    204: {"description": "the run has ended and there are no more events"},
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
}


class RolledBack(DiffData):
    """The snapshot that was put back (null: the run had changed nothing), and what differs from the start now."""

    to: str | None = None


class Accepted(Record):
    """The request will have its effect."""

    ok: bool = Field(default=True)


def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs


@router.post("", status_code=201)
async def start(request: Request, body: RunRequest) -> RunStarted:
    """Start an agent run. It is queued and on disk when the answer comes."""
    return RunStarted(id=await run_in_threadpool(_runs(request).create, body, current_span()))


@router.get("")
async def rows(
    request: Request, before: RunId | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> RunList:
    """Runs, newest first."""
    found, more = await run_in_threadpool(_runs(request).rows, before, limit)
    return RunList(runs=tuple(found), more=more)


@router.get("/{run_id}")
async def detail(request: Request, run_id: RunId) -> RunDetail:
    """One run."""
    return await run_in_threadpool(_runs(request).detail, run_id)


@router.get("/{run_id}/events", responses=EVENTS, response_class=EventSourceResponse)
async def events(
    request: Request,
    run_id: RunId,
    after: After = 0,
    last_event_id: Annotated[str | None, Header(pattern=r"^\d{1,9}$")] = None,
) -> Response:
    """The run's events, from the beginning or after the last one known, until it has ended."""
    runs = _runs(request)
    journal = runs.journal(run_id)
    known = max(after, int(last_event_id or 0))

    def going() -> bool:
        return runs.live(run_id) is not None

    if not going() and known >= runs.row(run_id).events:
        return Response(status_code=204)  # tells an EventSource not to come again
    ping = request.app.state.config.gateway.heartbeat_s
    return EventSourceResponse(follow(journal, known, going), ping=ping, headers={"Cache-Control": "no-store"})


@router.post("/{run_id}/approvals/{approval}")
async def answer(
    request: Request, run_id: RunId, approval: Annotated[str, InPath(pattern=r"^a\d{1,6}$")], body: Answer
) -> Accepted:
    """Allow or deny a destructive call that the run is asking about."""
    runs = _runs(request)
    runs.folder(run_id)
    live = runs.live(run_id)
    if live is None or not live.answer(approval, body.allow):
        raise ApiError(409, "this is not an open question of the run", param="approval", code="not_open")
    return Accepted()


@router.post("/{run_id}/cancel")
async def cancel(request: Request, run_id: RunId) -> Accepted:
    """Stop the run. What it did stays, and can be rolled back."""
    await run_in_threadpool(_runs(request).cancel, run_id)
    return Accepted()


@router.post("/{run_id}/rollback")
async def rollback(request: Request, run_id: RunId, body: RollbackRequest) -> RolledBack:
    """Put the workspace of a run that has ended back to a snapshot."""
    to, diff = await run_in_threadpool(_runs(request).rollback, run_id, body.to)
    return RolledBack(to=to, **dict(diff))


@router.get("/{run_id}/diff")
async def diff(request: Request, run_id: RunId) -> DiffData:
    """What the run has changed so far."""
    return await run_in_threadpool(_runs(request).diff, run_id)


@router.get("/{run_id}/artifacts")
async def artifacts(request: Request, run_id: RunId) -> ArtifactList:
    """The files of the workspace."""
    place = _runs(request).place(run_id)
    return await run_in_threadpool(place.artifacts)


@router.get("/{run_id}/artifacts/{path:path}", responses=FILE, response_class=Response)
async def artifact(request: Request, run_id: RunId, path: str) -> Response:
    """One file of the workspace, as it is."""
    cap = int(request.app.state.config.gateway.runs.artifact_mb * 2**20)
    place = _runs(request).place(run_id)
    data = await run_in_threadpool(place.read, path, cap)
    # Never shown as a page of ours: the agent may have written anything.
    name = quote(path.rsplit("/", 1)[-1].encode("utf-8", "replace"))
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "X-Content-Type-Options": "nosniff"}
    return Response(data, headers=headers, media_type="application/octet-stream")
