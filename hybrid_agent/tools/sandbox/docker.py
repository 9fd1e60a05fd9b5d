"""The backend `docker`: one container for an episode, every call a fresh process in it.

The container's first process is ours (`docker_first.py`). It starts each call, ends whatever the call left, empties the
scratch folders and answers; nothing inside can kill it or look into it. The container ends with it, and it ends with
its input: `kill -9` of the harness leaves no container.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import os
import platform
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.tools.sandbox import command, docker_engine
from hybrid_agent.tools.sandbox.bubblewrap import check_call, completed
from hybrid_agent.tools.sandbox.capture import Ended
from hybrid_agent.tools.sandbox.disk import DiskWatch
from hybrid_agent.tools.sandbox.docker_share import Share
from hybrid_agent.tools.sandbox.exchange import LoopEnded, answer_cap, completed_of, exchange, request_of
from hybrid_agent.tools.sandbox.limits import Completed, Limits, Strength
from hybrid_agent.tools.sandbox.seccomp import filter_bytes

LATEST_S = 15.0  # how long after a call's own timeout the answer may still come
START_S = 120.0
STOP_S = 5.0
KILLED = 137  # exit code of `docker run` when the first process was killed
CALLS_A_CONTAINER = 2000


class DockerSandbox:
    """Satisfies `protocols.Sandbox`; calls from several threads take turns.

    Args:
        workspace: an existing folder of this machine, seen inside as /workspace.
        limits: ceilings for all calls.
        ro_binds: further host paths shown read-only, target inside -> path on the host.

    Raises:
        InputError: no such folder, no engine, no image, or a bad bind.
        SandboxError: the engine does not let us start a container.
    """

    def __init__(self, workspace: Path, limits: Limits, ro_binds: Mapping[str, Path] | None = None) -> None:
        if not workspace.is_dir():
            raise InputError(f"the workspace {workspace} is not a folder", field="workspace", fix="make the folder")
        self.workspace = workspace.resolve()
        self.limits = limits
        self._binds = command.check_binds(ro_binds or {})
        self.image = docker_engine.image_name()
        docker_engine.docker()
        docker_engine.check_engine(self.image)
        docker_engine.sweep()
        self._lock = threading.Lock()
        self._closed = False
        self._boxes: dict[bool, _Container] = {}
        self._share = Share(self.workspace)
        self._etc = tempfile.TemporaryDirectory(prefix="hybrid-agent-etc-")
        try:
            _write_etc(Path(self._etc.name), *self._share.user)
            with self._lock:
                self._container(True)
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
        """Run argv in the container; see `protocols.Sandbox.run`. A read-only workspace has a container of its own."""
        check_call(argv, env)
        request = request_of(argv, stdin, timeout_s, env, self.limits)
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            watch = DiskWatch(self.workspace, self.limits.disk_mb << 20, self.limits.disk_files)
            box = self._container(writable)
            begun = time.monotonic()
            try:
                answer = box.ask(request, timeout_s + LATEST_S, watch if writable else None)
            except LoopEnded as end:
                box = self._boxes.pop(writable)
                killed_by = box.cause() if end.why == "session" else end.why
                box.kill()
                ended = Ended(duration_ms=(time.monotonic() - begun) * 1000)
                return completed(ended, None, "", killed_by)
            return completed_of(answer, None)

    @property
    def strength(self) -> Strength:
        """What holds this sandbox shut."""
        weaker = ["one process namespace serves all calls of the sandbox, one after the other"]
        box = next(iter(self._boxes.values()), None)
        if box is not None and not box.seen["memory"]:
            weaker.append("calls ended for memory cannot be told from others (no control group is visible inside)")
        if self._share.slot is None:
            workspace = "same owner"
        elif self._share.mapped:
            workspace = "ids mapped"
        else:
            workspace = "owner changed"
            weaker.append("files of the workspace belong to the sandbox user until it closes (no id-mapped mounts)")
        user = f"uid {self._share.user[0]} in the container"
        return Strength("docker", user, f"the engine's ({self.image})", True, workspace, tuple(weaker))

    def describe(self) -> str:
        """`strength`, as text for people."""
        return "\n".join(self.strength.lines())

    def close(self) -> None:
        """End the containers and free what they hold; idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for box in self._boxes.values():
                box.stop()
            self._boxes.clear()
            self._share.close()
            self._etc.cleanup()

    def _container(self, writable: bool) -> _Container:
        """The container for such calls, started if there is none that fits."""
        for _ in range(3):
            build = self._share.settle()
            box = self._boxes.get(writable)
            if box is not None and box.build == build and box.calls < CALLS_A_CONTAINER and box.alive():
                return box
            if box is not None:
                self._boxes.pop(writable).stop()
            box = self._start(writable, build)
            if self._share.seen(int(box.seen["owner"]), int(box.seen["inode"])):
                self._boxes[writable] = box
                return box
            box.stop()
        raise SandboxError("the workspace could not be handed to a container")

    def _start(self, writable: bool, build: int) -> _Container:
        name = docker_engine.new_name()
        arguments = docker_engine.run_arguments(
            name, self.image, self._share.source, Path(self._etc.name), self._binds, self.limits,
            user=self._share.user, writable=writable, program=_program(),
        )  # fmt: skip
        return _Container(name, arguments, self.limits, build)


class _Container:
    """One running container and the pipes to its first process, through the docker program."""

    def __init__(self, name: str, arguments: list[str], limits: Limits, build: int) -> None:
        self.name, self.build, self.calls = name, build, 0
        self._cap = answer_cap(limits)
        self._errors = os.memfd_create("sandbox-errors", os.MFD_CLOEXEC)
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, cwd="/",
            start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._into, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._into, False)
        os.set_blocking(self._out, False)
        setup = {
            "limits": _limits_of_each(limits),
            "machine": platform.machine(),
            "seccomp": base64.b64encode(filter_bytes()).decode(),
        }
        try:
            self.seen = exchange(self._into, self._out, setup, START_S, self._cap)
        except LoopEnded:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
            said = os.pread(self._errors, 2000, 0).decode("utf-8", "replace").strip()
            self.kill()
            raise SandboxError(f"the container could not start: {said[-400:] or 'it ended without a word'}") from None
        except BaseException:
            self.kill()
            raise
        if not self.seen["python"]:
            self.kill()
            fix = "install the distribution's python3 in it, or use the image of docker/Dockerfile"
            raise InputError("the sandbox image has no /usr/bin/python3", field=docker_engine.IMAGE_VARIABLE, fix=fix)

    def alive(self) -> bool:
        """True while the container runs."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], timeout_s: float, watch: DiskWatch | None) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Raises:
            LoopEnded: the container died, or overstepped and must be stopped.
        """
        self.calls += 1
        return exchange(self._into, self._out, request, timeout_s, self._cap, watch)

    def stop(self) -> None:
        """End the container by ending its input."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        self.kill()

    def cause(self) -> str:
        """Why the container stopped answering: "memory", or "session" if it cannot be told."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        # Nothing inside can kill a first process: that was the kernel, for memory.
        return "memory" if self._process.poll() == KILLED else "session"

    def kill(self) -> None:
        """End the container at once, if it has not ended by itself, and wait until it is gone."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # heard by the first process long before the engine has acted
        if self._process.poll() != 0:
            docker_engine.remove(self.name)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        if self._errors >= 0:
            os.close(self._errors)
            self._errors = -1


def _limits_of_each(limits: Limits) -> dict[str, int]:
    return {
        "as": max(4 * (limits.memory_mb << 20), 4 << 30),  # the container caps what is used; this, absurd reservations
        "core": 0,
        "cpu": limits.cpu_s,
        "fsize": limits.file_mb << 20,
        "nofile": limits.open_files,
        "memlock": 1 << 20,
        "msgqueue": 1 << 16,
    }


@functools.cache
def _program() -> str:
    """The text of the first process: both modules as one."""
    here = Path(__file__).parent
    loop = (here / "session_loop.py").read_text().split('if __name__ == "__main__":')[0]
    first = [
        line
        for line in (here / "docker_first.py").read_text().splitlines()
        if not line.startswith(("from hybrid_agent.", "from __future__"))
    ]
    return loop + "\n".join(first) + "\n"


def _write_etc(folder: Path, uid: int, gid: int) -> None:
    """Names for the container's ids; the engine makes hosts and the like itself."""
    folder.chmod(0o755)
    for name in ("passwd", "group", "nsswitch.conf"):
        text = command.ETC[name].replace(f":{command.INSIDE_ID}:{command.INSIDE_ID}:", f":{uid}:{gid}:")
        text = text.replace(f"agent:x:{command.INSIDE_ID}:", f"agent:x:{gid}:")
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
