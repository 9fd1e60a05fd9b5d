"""The default backend: every call runs in a fresh bubblewrap jail on the same workspace."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.tools.sandbox import cgroups, command, staging
from hybrid_agent.tools.sandbox.capture import Capture, Ended
from hybrid_agent.tools.sandbox.disk import DiskWatch, give_to
from hybrid_agent.tools.sandbox.limits import Completed, Limits, Strength
from hybrid_agent.tools.sandbox.seccomp import filter_bytes
from hybrid_agent.tools.sandbox.slots import FIRST_ID, Slot, is_real_root, lend_slot

NOT_FOUND = 127

T = TypeVar("T")
Spawn = Callable[[list[str], list[int], tuple[int, int]], T]


class BubblewrapSandbox:
    """Satisfies `protocols.Sandbox`. Safe to call from several threads; calls share the limits.

    Args:
        workspace: an existing folder of the host, seen inside as /workspace.
        limits: ceilings for all calls.
        ro_binds: further host paths shown read-only, target inside -> path on the host.

    Raises:
        InputError: no such folder, bubblewrap missing, or a bad bind.
        SandboxError: the machine does not let us build a jail.
    """

    def __init__(self, workspace: Path, limits: Limits, ro_binds: Mapping[str, Path] | None = None) -> None:
        if not workspace.is_dir():
            raise InputError(f"the workspace {workspace} is not a folder", field="workspace", fix="make the folder")
        self.workspace = workspace.resolve()
        self.limits = limits
        self._binds = command.check_binds(ro_binds or {})
        command.bwrap()
        filter_bytes()
        self._lock = threading.Lock()
        self._stage: staging.Stage | None = None
        self._folder: tuple[int, int] | None = None
        self._owner: tuple[int, int] | None = None
        self._builds = 0
        self._slot: Slot | None = lend_slot() if is_real_root() else None
        cgroups.sweep()
        self._group = cgroups.make_group(limits)
        self._closed = False
        try:
            with self._lock:
                self._settle()
        except BaseException:
            self.close()
            raise

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_s: float = 8.0,
        env: Mapping[str, str] | None = None,
        writable: bool = True,
    ) -> Completed:
        """Run argv in a jail of its own; see `protocols.Sandbox.run`."""
        check_call(argv, env)
        kills = self.oom_kills()
        watch = DiskWatch(self.workspace, self.limits.disk_mb << 20, self.limits.disk_files)
        capture = Capture(
            keep=self.limits.output_kb << 10, flood=self.limits.flood_mb << 20, watch=watch.over if writable else None
        )

        def spawn(full: list[str], pass_fds: list[int], status: tuple[int, int]) -> None:
            capture.start(full, stdin=stdin, pass_fds=pass_fds, env={}, cwd="/", status=status)

        self.launch(spawn, argv, env=env, writable=writable)
        ended = capture.finish(timeout_s)
        return self._judge(ended, argv[0], out_of_memory=self.oom_kills() > kills)

    def launch(
        self, spawn: Spawn[T], argv: Sequence[str], *, env: Mapping[str, str] | None = None, writable: bool = True
    ) -> T:
        """Build the command line of a jail and have `spawn` start it.

        `spawn` gets the argv, the descriptors to pass, and the status pipe (read end, write end), both ends of
        which it owns. It must start the process with an empty environment (the first process of a jail shows its own
        to all others) and with / as directory.
        """
        with self._lock, ExitStack() as fds:
            self._settle()
            etc = {name: fds.enter_context(_memfd(text.encode())) for name, text in command.ETC.items()}
            seccomp = fds.enter_context(_memfd(filter_bytes()))
            status = os.pipe()
            staged = self._stage is not None
            arguments = command.jail_arguments(
                staging.WORKSPACE if staged else str(self.workspace),
                {t: staging.staged_ro(i) if staged else str(p) for i, (t, p) in enumerate(self._binds.items())},
                self.limits,
                writable=writable,
                env={**command.ENVIRONMENT, **(env or {})},
                etc_fds=etc,
                seccomp_fd=seccomp,
                status_fd=status[1],
            )
            # By descriptor, because the first process's command line can be read inside and would show host paths.
            args_fd = fds.enter_context(_memfd(b"\0".join(os.fsencode(a) for a in arguments)))
            pass_fds = [*etc.values(), seccomp, args_fd, status[1]]
            full = command.launcher(
                self._group.join_files,
                self.limits,
                memory_held="memory" in self._group.controllers,
                slot=self._slot.uid if self._slot else None,
                stage_fd=self._stage.fd if self._stage else None,
            )
            full += ["--args", str(args_fd), "--", *command.inner(self.limits), *argv]
            return spawn(full, pass_fds, status)

    def settle(self) -> int:
        """Get the workspace ready for a call; the number returned changes when running jails must be rebuilt."""
        with self._lock:
            self._settle()
            return self._builds

    def oom_kills(self) -> int:
        """Processes of this sandbox that the kernel has killed for memory so far."""
        return self._group.oom_kills()

    @property
    def strength(self) -> Strength:
        """What holds this sandbox shut."""
        weaker = []
        if "memory" not in self._group.controllers:
            weaker.append("memory is capped for each process only, not for all together (no writable control group)")
        if "cpu" not in self._group.controllers:
            weaker.append("CPU share is not capped, only CPU seconds of each process")
        groups = f"v{self._group.version} ({', '.join(self._group.controllers)})" if self._group.version else "none"
        if self._slot is None:
            user, workspace = f"user namespace of uid {os.geteuid()}", "same owner"
        else:
            user, workspace = f"uid {self._slot.uid}, dropped from root", "ids mapped"
            if self._stage is None or not self._stage.mapped:
                workspace = "owner changed"
                weaker.append("files of the workspace belong to the sandbox user until it closes (no id-mapped mounts)")
        return Strength("bubblewrap", user, groups, True, workspace, tuple(weaker))

    def describe(self) -> str:
        """`strength`, as text for people."""
        return "\n".join(self.strength.lines())

    def close(self) -> None:
        """Free the user id, the namespace and the control groups; idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._give_back()
            if self._stage is not None:
                self._stage.close()
            if self._slot is not None:
                self._slot.close()
            self._group.remove()

    def _settle(self) -> None:
        """Make the workspace the jail's own: staged once, again whenever its folder was replaced."""
        if self._closed:
            raise SandboxError("the sandbox is closed")
        try:
            now = self.workspace.stat()
        except OSError as error:
            raise SandboxError(f"the workspace is gone: {error}") from None
        folder, owner = (now.st_dev, now.st_ino), (now.st_uid, now.st_gid)
        mapped = self._stage is not None and self._stage.mapped
        if folder != self._folder or (mapped and owner != self._owner):
            if not mapped:
                self._give_back()
            self._folder, self._owner = folder, owner
            self._builds += 1
            if self._slot is not None:
                if self._stage is not None:
                    self._stage.close()
                self._stage = staging.make_stage(self.workspace, owner, self._slot.uid, self._binds)
        if self._slot is None:
            return
        if self._stage is None or not self._stage.mapped:
            give_to(self.workspace, self._slot.uid, self._slot.uid)
        elif now.st_uid != 0:
            # Root's own writes into someone else's folder become theirs, so that the jail may change them too.
            give_to(self.workspace, now.st_uid, now.st_gid, only_from=0)

    def _give_back(self) -> None:
        """Undo the change of owner where ids could not be mapped."""
        if self._slot is None or self._owner is None or (self._stage is not None and self._stage.mapped):
            return
        uid, gid = (0, 0) if self._owner[0] >= FIRST_ID else self._owner  # the former: a harness that was killed
        with contextlib.suppress(OSError):
            give_to(self.workspace, uid, gid, only_from=self._slot.uid)

    def _judge(self, ended: Ended, program: str, *, out_of_memory: bool) -> Completed:
        code, killed_by = ended.status.get("exit-code"), ended.killed_by
        stderr = ended.err.decode("utf-8", "replace")
        if out_of_memory and killed_by is None:
            killed_by = "memory"
        if code == NOT_FOUND and stderr.startswith("prlimit: failed to execute"):
            stderr = f"{program}: command not found\n"
        if code is None and killed_by is None:
            if ended.exit_code == command.JOIN_FAILED:
                raise SandboxError(f"the sandbox's control group could not be entered: {stderr.strip()[:300]}")
            raise SandboxError(f"the sandbox could not start (exit {ended.exit_code}): {stderr.strip()[:300]}")
        return completed(ended, code, stderr, killed_by)


def completed(ended: Ended, code: int | None, stderr: str, killed_by: str | None) -> Completed:
    """Turn a raw end into the result, naming limits that only show in the exit code."""
    if code is None:
        code = 128 + signal.SIGKILL
    by_signal = {128 + signal.SIGXCPU: "cpu", 128 + signal.SIGXFSZ: "file_size"}
    return Completed(
        exit_code=code,
        stdout=ended.out.decode("utf-8", "replace"),
        stderr=stderr,
        duration_ms=ended.duration_ms,
        timed_out=killed_by == "wall",
        killed_by=killed_by or by_signal.get(code),
        truncated=ended.truncated,
    )


def check_call(argv: Sequence[str], env: Mapping[str, str] | None) -> None:
    """Refuse what cannot be passed to a process.

    Raises:
        InputError: an empty argv, a NUL byte, or a bad variable name.
    """
    if not argv:
        raise InputError("an empty command cannot be run", field="argv", fix="name a program")
    if any("\0" in a for a in argv):
        raise InputError("an argument contains a NUL byte", field="argv", fix="remove it")
    for name, value in (env or {}).items():
        if not name or "=" in name or "\0" in name + value:
            raise InputError(f"the variable {name!r} cannot be set", field="env", fix="use a plain name and value")


@contextlib.contextmanager
def _memfd(data: bytes) -> Iterator[int]:
    fd = os.memfd_create("sandbox", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(fd), "wb") as out:
            out.write(data)
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)
