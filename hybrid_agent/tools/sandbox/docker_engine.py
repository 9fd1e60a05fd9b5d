"""The container engine, through its own command line program: what it is, what a sandbox's container looks like.

The program `docker` finds the engine by its own rules (DOCKER_HOST, contexts). Images are never pulled: nothing may
reach for a registry in the middle of an episode.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.tools.sandbox import command
from hybrid_agent.tools.sandbox.cgroups import started
from hybrid_agent.tools.sandbox.limits import Limits

IMAGE_VARIABLE = "HYBRID_AGENT_SANDBOX_IMAGE"
DEFAULT_IMAGE = "hybrid-agent-sandbox"
LABEL = "hybrid-agent.sandbox"
ASK_S = 60.0
REMOVE_TRIES = 20
BUILD = f"docker build -f docker/Dockerfile --target sandbox -t {DEFAULT_IMAGE} ."


def image_name() -> str:
    """The image of sandboxes: $HYBRID_AGENT_SANDBOX_IMAGE, else the one our Dockerfile makes."""
    return os.environ.get(IMAGE_VARIABLE) or DEFAULT_IMAGE


@functools.lru_cache(maxsize=1)
def docker() -> str:
    """Path of the command line program.

    Raises:
        InputError: it is not installed.
    """
    found = shutil.which("docker")
    if found is None:
        fix = "install Docker, or use the backend bubblewrap, which needs none"
        raise InputError("the program docker is not installed", field="sandbox", fix=fix)
    return found


def engine(*arguments: str, timeout_s: float = ASK_S) -> str:
    """Run a docker command and return what it printed.

    Raises:
        SandboxError: it failed.
    """
    try:
        done = subprocess.run(
            [docker(), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SandboxError(f"docker {arguments[0]} took more than {timeout_s:g} s") from None
    if done.returncode:
        raise SandboxError(f"docker {arguments[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def check_engine(image: str) -> None:
    """Make sure an engine answers, is of a kind we know, and has the image.

    Raises:
        InputError: with what to type.
    """
    try:
        facts = json.loads(engine("info", "--format", "{{json .SecurityOptions}}"))
    except (SandboxError, ValueError) as error:
        fix = "start it (systemctl start docker), set DOCKER_HOST, or use the backend bubblewrap"
        raise InputError(f"no container engine answers: {error}", field="sandbox", fix=fix) from None
    options = {part.split(",")[0] for part in facts or ()}
    for kind in ("name=rootless", "name=userns"):
        if kind in options:
            what = f"the container engine maps user ids ({kind.removeprefix('name=')})"
            raise InputError(what, field="sandbox", fix="use the backend bubblewrap, or an engine that does not")
    if "name=seccomp" not in options:
        raise InputError("the container engine has no system call filter", field="sandbox", fix="use bubblewrap")
    try:
        engine("image", "inspect", "--format", "{{.Id}}", image)
    except SandboxError:
        fix = f"{BUILD}  (or set {IMAGE_VARIABLE})"
        raise InputError(f"there is no image {image!r}", field="sandbox", fix=fix) from None


def new_name() -> str:
    """A name for a container that nobody has."""
    return f"hybrid-agent-{secrets.token_hex(8)}"


def owner_label() -> str:
    """Names this process on this machine, such that another process can tell whether it is alive."""
    return f"{_machine()} {os.getpid()} {started(os.getpid())}"


@functools.cache
def sweep() -> int:
    """Remove containers whose harness died before they could start; once a process. Returns how many."""
    listing = engine("ps", "-a", "--filter", f"label={LABEL}", "--format", f'{{{{.Names}}}}\t{{{{.Label "{LABEL}"}}}}')
    dead = []
    for line in listing.splitlines():
        name, _, label = line.partition("\t")
        machine, _, rest = label.partition(" ")
        pid, _, began = rest.partition(" ")
        if machine == _machine() and pid.isdigit() and started(int(pid)) != began:
            dead.append(name)
    for name in dead:
        remove(name)
    return len(dead)


def remove(name: str) -> None:
    """End a container and remove it; one that is gone is fine.

    Raises:
        SandboxError: it is still there.
    """
    for _ in range(REMOVE_TRIES):  # the engine may be removing it already, which is an error for the second to ask
        with contextlib.suppress(SandboxError):
            engine("rm", "--force", "--volumes", name)
        if not engine("ps", "-aq", "--filter", f"name=^/?{name}$").strip():
            return
        time.sleep(0.5)
    raise SandboxError(f"the container {name} could not be removed")


def run_arguments(
    name: str,
    image: str,
    workspace: str,
    etc: Path,
    binds: Mapping[str, Path],
    limits: Limits,
    *,
    user: tuple[int, int],
    writable: bool,
    program: str,
) -> list[str]:
    """The command line that starts a sandbox's container and stays connected to its first process."""
    memory = f"{limits.memory_mb}m"
    owner = f"uid={user[0]},gid={user[1]}"
    args = [docker(), "run", "--interactive", "--rm", "--pull", "never", "--name", name]
    args += ["--label", f"{LABEL}={owner_label()}", "--log-driver", "none", "--no-healthcheck", "--init=false"]
    # Nothing shared, nothing granted.
    args += ["--network", "none", "--ipc", "private", "--cgroupns", "private", "--hostname", "sandbox"]
    args += ["--user", f"{user[0]}:{user[1]}", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    args += ["--read-only", "--workdir", command.INSIDE]
    # Limits of all processes together; those of each are set inside, where they spare the first.
    args += ["--memory", memory, "--memory-swap", memory, "--pids-limit", str(limits.processes + 1)]
    args += ["--cpus", f"{limits.cpus:g}", "--ulimit", "core=0:0", "--shm-size", f"{limits.tmp_mb}m"]
    for place, mode in (("/tmp", "1777"), ("/var/tmp", "1777"), ("/run", "0755")):
        args += ["--tmpfs", f"{place}:rw,exec,nosuid,nodev,size={limits.tmp_mb}m,mode={mode},{owner}"]
    args += _mount(workspace, command.INSIDE, writable=writable)
    for file in sorted(etc.iterdir()):
        args += _mount(str(file), f"/etc/{file.name}", writable=False)
    for target, source in binds.items():
        args += _mount(str(source), target, writable=False)
    return [*args, "--entrypoint", "python3", image, "-I", "-S", "-B", "-c", program]


def _mount(source: str, target: str, *, writable: bool) -> list[str]:
    fields: Sequence[str] = ("type=bind", f"source={source}", f"target={target}", "bind-propagation=rprivate")
    # A CSV record: a path may hold commas and quotes.
    quoted = ",".join('"' + field.replace('"', '""') + '"' for field in fields)
    return ["--mount", quoted + ("" if writable else ",readonly")]


@functools.cache
def _machine() -> str:
    """This machine since it was started, and this view of its processes."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{socket.gethostname()}/{boot}/{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116
