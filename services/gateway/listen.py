"""Listening: the address, the token, and an orderly end."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn

from hybrid_agent.assemble.rundir import runs_root
from hybrid_agent.config.gateway import GatewayConfig
from hybrid_agent.config.serve import ServeConfig
from hybrid_agent.errors import InputError
from services.gateway.app import make_app
from services.gateway.auth import find_token
from services.gateway.parts import LocalParts, Parts

KEEP_S = 75  # an idle connection; longer than clients and proxies keep theirs, so that none is closed under a request
GRACE_S = 3  # for answers under way; streams of events are ended


def listen(config: ServeConfig, runs: Path | None) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        InputError: the address or the token cannot be used, a part is missing, or another gateway has the runs.
    """
    root = runs_root(runs)
    gateway = config.gateway
    parts = make_parts(config)
    root.mkdir(parents=True, exist_ok=True)
    token, made = find_token(gateway, root)
    opened = bind(gateway)
    app = make_app(config, root, parts, token)
    host, port = opened.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    print(f"gateway: http://{shown}:{port}", flush=True)
    if made is not None:
        print(f"gateway: the token is in {made}", file=sys.stderr, flush=True)
    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_S,
        server_header=False,
    )
    uvicorn.Server(settings).run(sockets=[opened])


def make_parts(config: ServeConfig) -> Parts:
    """The parts that the config asks for."""
    if config.gateway.parts == "served":
        from services.gateway.served import ServedParts

        return ServedParts(config)
    return LocalParts(config)


def bind(config: GatewayConfig) -> socket.socket:
    """A listening socket.

    Raises:
        InputError: the address cannot be used.
    """
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, proto, _, address = found[0]
        opened = socket.socket(family, kind, proto)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(512)
    except OSError as error:
        what = f"cannot listen at {config.host}:{config.port}: {error.strerror or error}"
        raise InputError(what, field="gateway.port", fix="choose another: port=0 takes a free one") from None
    return opened
