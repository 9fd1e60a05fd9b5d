"""Who may talk to the gateway.

On the machine itself (a loopback address) no token is needed, so two other things keep web pages out: the Host must be
one of our names (a foreign name that was made to resolve to us is refused), and an Origin must be the Host. Anywhere
else a token is needed; without one configured, one is made and kept where only the owner can read it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hybrid_agent.config.gateway import GatewayConfig
from hybrid_agent.errors import InputError
from services.gateway.problems import ApiError

TOKEN = "HYBRID_AGENT_TOKEN"
TOKEN_FILE = "gateway-token"
COOKIE = "hybrid_agent_session"
SHORTEST = 16
OPEN = ("/", "/healthz", "/favicon.ico")  # no data of anybody's; the page asks for the token itself
OPEN_BELOW = "/static/"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def find_token(config: GatewayConfig, runs: Path) -> tuple[str | None, Path | None]:
    """The token in force, and the file that one was made in, if it was.

    Raises:
        InputError: the token cannot be read, others can read it too, or it is too short to be one.
    """
    if config.token_file is not None:
        return _read(Path(config.token_file).expanduser(), "gateway.token_file"), None
    given = os.environ.get(TOKEN)
    if given:
        return _checked(given, f"${TOKEN}"), None
    if is_loopback(config.host):
        return None, None
    path = runs / TOKEN_FILE
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise InputError(f"cannot keep a token: {error.strerror}", where=str(path), fix=f"set ${TOKEN}") from None
    return _read(path, str(path)), path


def _read(path: Path, where: str) -> str:
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise InputError(f"cannot read the token: {error}", where=where) from None
    if mode & 0o077 and os.access(path, os.W_OK):
        raise InputError("others can read the token", where=str(path), fix=f"chmod 600 {path}")
    return _checked(text, str(path))


def _checked(token: str, where: str) -> str:
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        fix = 'make one: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        raise InputError(f"not a token of at least {SHORTEST} letters and digits", where=where, fix=fix)
    return token


def session_value(token: str) -> str:
    """What the page's cookie holds in place of the token."""
    return hmac.new(token.encode(), b"hybrid-agent page", hashlib.sha256).hexdigest()


class Guard:
    """Refuses requests before anything else sees them, and caps their bodies.

    Args:
        token: what callers must show; None: only this machine can call.
        names: hosts under which we may be called without a token.
        body_bytes: most bytes of a request's body.
    """

    def __init__(self, app: ASGIApp, *, token: str | None, names: frozenset[str], body_bytes: int) -> None:
        self.app, self.token, self.names, self.body_bytes = app, token, names, body_bytes
        self._cookie = session_value(token) if token else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            headers = Headers(scope=scope)
            self._check(scope, headers)
            await self.app(scope, self._capped(headers, receive), send)
        except ApiError as error:
            await error.response()(scope, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        origin = headers.get("origin")
        if self.token is None and _name(f"//{host}") not in self.names:
            raise ApiError(403, "this is not a name of this server", code="wrong_host")
        if origin is not None and urlsplit(origin).netloc != host:
            raise ApiError(403, "pages of other sites may not call this server", code="wrong_origin")
        path = scope["path"]
        if self.token is None or path in OPEN or path.startswith(OPEN_BELOW):
            return
        if not self._known(headers):
            message = "a token is needed: Authorization: Bearer TOKEN"
            raise ApiError(401, message, kind="authentication_error", code="invalid_api_key")

    def _known(self, headers: Headers) -> bool:
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(shown.strip(), self.token or ""):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and _same(cookie.value, self._cookie)

    def _capped(self, headers: Headers, receive: Receive) -> Receive:
        large = ApiError(413, f"the body is larger than {self.body_bytes} bytes", code="request_too_large")
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            raise ApiError(400, "Content-Length is no number")
        if int(length[:20]) > self.body_bytes:
            raise large
        left = self.body_bytes

        async def capped() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                # Of the framework's own kind: it would take any other for a body that cannot be parsed.
                raise HTTPException(large.status, large.detail.message)
            return message

        return capped


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode("utf-8", "replace"), b.encode())
