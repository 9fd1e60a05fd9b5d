"""What one sandboxed call may use, and how its end is reported."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from hybrid_agent.types import Record


class Limits(Record):
    """Ceilings of one sandbox. Sizes are in MiB (`output_kb` in KiB), times in seconds.

    `memory_mb`, `processes` and `cpus` hold for all processes of the sandbox together where control
    groups are writable; elsewhere memory holds per process only (see `Strength`). `disk_mb` and
    `disk_files` are watched, not reserved: a call is killed soon after it passes them.
    """

    memory_mb: int = Field(default=1024, ge=32)
    processes: int = Field(default=128, ge=4)
    cpus: float = Field(default=1.0, gt=0)
    cpu_s: int = Field(default=60, ge=1)
    open_files: int = Field(default=512, ge=32)
    file_mb: int = Field(default=64, ge=1)
    tmp_mb: int = Field(default=64, ge=1)
    disk_mb: int = Field(default=512, ge=1)
    disk_files: int = Field(default=50_000, ge=1)
    output_kb: int = Field(default=256, ge=1)
    flood_mb: int = Field(default=16, ge=1)


@dataclass(slots=True)
class Completed:
    """The end of one sandboxed process (satisfies `protocols.Completed`).

    `exit_code` is the command's, 128 + N when signal N ended it. `killed_by` names the limit that ended the
    call: "wall", "memory", "cpu", "file_size", "disk", "output", "session", or None. `truncated` says that
    `stdout` or `stderr` hold only the first `Limits.output_kb` of what was printed.
    """

    exit_code: int
    stdout: str
    stderr: str
    duration_ms: float
    timed_out: bool = False
    killed_by: str | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Strength:
    """What holds a sandbox shut on this machine; `weaker` lists what is missing, in plain words."""

    backend: str
    user: str
    cgroup: str
    seccomp: bool
    workspace: str
    weaker: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """One line a fact, for people."""
        facts = [
            f"backend    {self.backend}",
            f"user       {self.user}",
            f"cgroup     {self.cgroup}",
            f"seccomp    {'on' if self.seccomp else 'OFF'}",
            f"workspace  {self.workspace}",
        ]
        return facts + [f"weaker     {w}" for w in self.weaker]
