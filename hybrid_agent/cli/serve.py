"""`hybrid-agent serve`: the four services and the gateway on this machine."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Annotated

import typer

from hybrid_agent.errors import InputError


def serve(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Settings of configs/serve.yaml.", show_default=False),
    ] = None,
) -> None:
    """Serve the agent: an OpenAI-compatible API, agent runs with live events, and a page to watch. Ctrl-C ends it."""
    for module in ("grpc", "services"):
        if importlib.util.find_spec(module) is None:
            raise InputError(f"serving needs {module}", where="serve", fix="pip install 'hybrid-agent[serve]'")
    os.execv(sys.executable, [sys.executable, "-m", "services.run", *(overrides or [])])
