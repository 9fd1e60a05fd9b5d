"""Where a service listens: `unix:PATH` (mode 0600, in a folder that only we can enter) or `HOST:PORT`.

Nothing listens on TCP without a token or certificates, and so nothing is open to the public without one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.config.serve import AuthConfig, Name, ServicesConfig
from hybrid_agent.errors import InputError

TOKEN = "HYBRID_AGENT_SERVICE_TOKEN"
LONGEST = 100  # characters of a socket's path; the system's own limit is 107 bytes
SHORTEST = 16  # characters of a token


@dataclass(frozen=True)
class Address:
    """One of `path` (a unix socket) or `host` and `port` is set."""

    path: Path | None = None
    host: str = ""
    port: int = 0

    @property
    def target(self) -> str:
        """As gRPC writes it."""
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return self.target


def parse_address(text: str, field: str = "address") -> Address:
    """Read an address.

    Raises:
        InputError: it is none, or a socket's path is too long.
    """
    if text.startswith("unix:"):
        path = Path(os.path.abspath(Path(text.removeprefix("unix:")).expanduser()))  # noqa: PTH100
        if len(os.fsencode(path)) > LONGEST or text == "unix:":
            raise InputError(f"not a usable path of a socket: {path}", field=field, fix="choose a shorter folder")
        return Address(path=path)
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise InputError(f"not an address: {text!r}", field=field, fix="write unix:PATH or HOST:PORT")
    return Address(host=host, port=int(port))


def socket_folder(services: ServicesConfig) -> Path:
    """The folder of the sockets: the named one, or one of this person and this config's own."""
    if services.sockets is not None:
        return Path(services.sockets).expanduser().absolute()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "hybrid-agent"
    return Path(tempfile.gettempdir()) / f"hybrid-agent-{os.getuid()}"


def address_of(services: ServicesConfig, name: Name) -> Address:
    """Where a service of the config listens.

    Raises:
        InputError: its address is none.
    """
    given = services.one(name).address
    field = f"services.{name}.address"
    return parse_address(given or f"unix:{socket_folder(services) / f'{name}.sock'}", field)


def read_token(auth: AuthConfig) -> str | None:
    """The token, if there is one.

    Raises:
        InputError: its file cannot be read or others can read it too, or the token is too short to be one.
    """
    if auth.token_file is None:
        token, where = os.environ.get(TOKEN), f"${TOKEN}"
        if not token:
            return None
    else:
        path = Path(auth.token_file).expanduser()
        where = str(path)
        try:
            mode, token = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise InputError(f"cannot read the token: {error}", where=where, field="services.auth.token_file") from None
        if mode & 0o077 and os.access(path, os.W_OK):
            fix = f"chmod 600 {path}"
            raise InputError("others can read the token", where=where, field="services.auth.token_file", fix=fix)
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        fix = 'make one: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        raise InputError(f"not a token of at least {SHORTEST} letters and digits", where=where, fix=fix)
    return token


def check_guarded(address: Address, auth: AuthConfig, token: str | None) -> None:
    """Refuse an address that anybody could call.

    Raises:
        InputError: a TCP address without a token and without certificates.
    """
    if address.path is None and token is None and auth.tls is None:
        raise InputError(
            f"{address} would be open to everybody who can reach it",
            field="address",
            fix=f"use a unix socket, set ${TOKEN} or services.auth.token_file, or give certificates: services.auth.tls",
        )


def prepare_socket(path: Path) -> None:
    """Make the socket's folder, and take away what a killed service left.

    Raises:
        InputError: the folder is not ours alone, or somebody listens there already.
    """
    folder = path.parent
    with contextlib.suppress(FileExistsError):
        folder.mkdir(parents=True, mode=0o700)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o077:
        fix = f"chmod 700 {folder}, or choose another: services.sockets"
        raise InputError("the sockets' folder can be entered by others", where=str(folder), fix=fix)
    if not path.is_socket():
        if path.exists():
            raise InputError("this is not a socket", where=str(path), fix="choose another path")
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise InputError("a service listens there already", where=str(path), fix="stop it first")


def read_file(path: str, name: str) -> bytes:
    """A file of `services.auth.tls`.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        field = f"services.auth.tls.{name}"
        raise InputError(f"cannot read it: {error.strerror}", where=path, field=field) from None
