"""Sandboxes: where the agent's commands run. `make_sandbox` is the way in; docs/sandbox.md explains the layers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hybrid_agent.errors import InputError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox.bubblewrap import BubblewrapSandbox
from hybrid_agent.tools.sandbox.docker import DockerSandbox
from hybrid_agent.tools.sandbox.limits import Completed, Limits, Strength
from hybrid_agent.tools.sandbox.plain import PlainSandbox
from hybrid_agent.tools.sandbox.session import SessionSandbox

BACKENDS = ("bubblewrap", "docker", "none")

__all__ = [
    "BACKENDS",
    "BubblewrapSandbox",
    "Completed",
    "DockerSandbox",
    "Limits",
    "PlainSandbox",
    "SessionSandbox",
    "Strength",
    "make_sandbox",
]


def make_sandbox(
    backend: str,
    workspace: Path,
    limits: Limits | None = None,
    *,
    ro_binds: Mapping[str, Path] | None = None,
    session: bool = False,
) -> Sandbox:
    """Make a sandbox on an existing folder.

    Args:
        backend: "bubblewrap", "docker", or "none" for no protection; there is no fallback from one to another.
        workspace: the folder commands work on; inside it is /workspace.
        limits: ceilings (defaults are those of `Limits`).
        ro_binds: further host paths shown read-only inside, target -> path on the host.
        session: one standing jail for all calls, several times faster; for trusted commands (see `session`).
            The backend docker always works so, in a way that is safe for any command.

    Raises:
        InputError: unknown backend, no such folder, bubblewrap or the container engine or its image missing.
        SandboxError: the machine does not let us build a jail.
    """
    limits = limits or Limits()
    if backend == "bubblewrap":
        return (SessionSandbox if session else BubblewrapSandbox)(workspace, limits, ro_binds)
    if backend == "docker":
        return DockerSandbox(workspace, limits, ro_binds)
    if backend == "none":
        if ro_binds:
            raise InputError("the backend none cannot bind paths", field="ro_binds", fix="use bubblewrap")
        return PlainSandbox(workspace, limits)
    raise InputError(
        f"unknown sandbox backend {backend!r}", field="backend", fix=f"use {', '.join(BACKENDS[:-1])} or {BACKENDS[-1]}"
    )
