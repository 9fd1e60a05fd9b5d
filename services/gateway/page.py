"""The page and its files, with headers that keep everything foreign out of it."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from hybrid_agent.types import Record
from services.gateway.auth import COOKIE, session_value

WEB = Path(__file__).with_name("web")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
router = APIRouter()


class Static(StaticFiles):
    """The page's files with the page's headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


class PageSession(Record):
    """Whether the page needs a token, which it has not been given yet if it reads this with 401."""

    ok: bool = True


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """The page."""
    index = WEB / "index.html"
    if index.is_file():
        return FileResponse(index, headers=HEADERS)
    return HTMLResponse("<!doctype html><title>hybrid-agent</title><p>The gateway is up.</p>", headers=HEADERS)


@router.post("/v1/session", tags=["page"])
async def session(request: Request, response: Response) -> PageSession:
    """Keep a browser signed in: sets a cookie that only this site's own requests carry. Needs the token."""
    token: str | None = request.app.state.token
    if token is not None:
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, session_value(token), httponly=True, samesite="strict", secure=secure)
    return PageSession()
