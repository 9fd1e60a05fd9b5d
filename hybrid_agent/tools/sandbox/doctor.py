"""`python -m hybrid_agent.tools.sandbox.doctor [bubblewrap|docker]`: what the sandbox can do on this machine.

Exit code 0 if a jail works here, 1 if not (the last line then says what to do).
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
from pathlib import Path

from hybrid_agent.errors import HybridAgentError, SandboxError
from hybrid_agent.tools.sandbox import command
from hybrid_agent.tools.sandbox.bubblewrap import BubblewrapSandbox
from hybrid_agent.tools.sandbox.docker import DockerSandbox
from hybrid_agent.tools.sandbox.limits import Limits

STARTS = 9
SETTINGS = (
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or an AppArmor profile for bwrap)",
    ),
)


def blocked_by() -> list[str]:
    """Kernel settings that keep user namespaces from people who are not root, each with the command to change it."""
    found = []
    for path, bad, fix in SETTINGS:
        with contextlib.suppress(OSError):
            if Path(path).read_text().strip() == bad:
                found.append(f"{path} is {bad}; as root: {fix}")
    return found


def examine(backend: str = "bubblewrap") -> list[str]:
    """Build a jail on a throw-away workspace, run in it, and say what holds it.

    Raises:
        InputError: bubblewrap is missing or too old; or the container engine or its image is missing.
        SandboxError: no jail can be built here.
    """
    if backend == "bubblewrap":
        command.bwrap()
    with tempfile.TemporaryDirectory(prefix="sandbox-doctor-") as folder:
        workspace = Path(folder) / "workspace"
        workspace.mkdir()
        box = (DockerSandbox if backend == "docker" else BubblewrapSandbox)(workspace, Limits())
        try:
            done = box.run(["sh", "-c", "echo fine > file && cat file && whoami"])
            if (done.exit_code, done.stdout) != (0, "fine\nagent\n"):
                raise SandboxError(f"a jail started but did not work (exit {done.exit_code}): {done.stderr.strip()}")
            if (workspace / "file").read_text() != "fine\n":
                raise SandboxError("a file written in the jail cannot be read outside")
            start_ms = statistics.median(box.run(["true"]).duration_ms for _ in range(STARTS))
            return [*box.strength.lines(), f"start      {start_ms:.0f} ms a call"]
        finally:
            box.close()


def main() -> int:
    """Print the findings; returns the exit code."""
    try:
        lines = examine(*sys.argv[1:2])
    except HybridAgentError as error:
        for hint in blocked_by():
            print(f"blocked    {hint}")
        print(f"NO SANDBOX {error}")
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
