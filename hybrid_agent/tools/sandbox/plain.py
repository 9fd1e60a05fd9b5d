"""The backend `none`: no sandbox at all. Only for machines that are themselves thrown away."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.tools.sandbox import command
from hybrid_agent.tools.sandbox.bubblewrap import NOT_FOUND, check_call, completed
from hybrid_agent.tools.sandbox.capture import Capture
from hybrid_agent.tools.sandbox.disk import DiskWatch
from hybrid_agent.tools.sandbox.limits import Completed, Limits, Strength


class PlainSandbox:
    """Runs commands as the calling user, with only the wall, output and disk limits.

    The working directory is the workspace's host path; /workspace does not exist, `writable=False` is not
    enforced, and processes that leave their group outlive the call.
    """

    def __init__(self, workspace: Path, limits: Limits) -> None:
        if not workspace.is_dir():
            raise InputError(f"the workspace {workspace} is not a folder", field="workspace", fix="make the folder")
        self.workspace = workspace.resolve()
        self.limits = limits
        self._closed = False

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_s: float = 8.0,
        env: Mapping[str, str] | None = None,
        writable: bool = True,
    ) -> Completed:
        """Run argv directly; see `protocols.Sandbox.run`."""
        check_call(argv, env)
        if self._closed:
            raise SandboxError("the sandbox is closed")
        watch = DiskWatch(self.workspace, self.limits.disk_mb << 20, self.limits.disk_files)
        capture = Capture(keep=self.limits.output_kb << 10, flood=self.limits.flood_mb << 20, watch=watch.over)
        full_env = {**command.ENVIRONMENT, "PATH": os.defpath, **(env or {})}
        try:
            capture.start(argv, stdin=stdin, pass_fds=(), env=full_env, cwd=str(self.workspace))
        except (FileNotFoundError, PermissionError):
            return Completed(NOT_FOUND, "", f"{argv[0]}: command not found\n", 0.0)
        ended = capture.finish(timeout_s)
        code = ended.exit_code if ended.exit_code >= 0 else 128 - ended.exit_code
        return completed(ended, code, ended.err.decode("utf-8", "replace"), ended.killed_by)

    @property
    def strength(self) -> Strength:
        """What holds this sandbox shut: nothing."""
        weaker = ("commands run as you, on your files, with your network",)
        return Strength("none", f"uid {os.geteuid()}", "none", False, "as it is", weaker)

    def describe(self) -> str:
        """`strength`, as text for people."""
        return "\n".join(self.strength.lines())

    def close(self) -> None:
        """Nothing is held; calls after this fail."""
        self._closed = True
