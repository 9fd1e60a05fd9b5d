"""The command line that builds a jail: launcher chain, limits and the arguments of bubblewrap."""

from __future__ import annotations

import functools
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from hybrid_agent.errors import InputError
from hybrid_agent.tools.sandbox.limits import Limits

SEARCH = "/usr/bin:/bin:/usr/local/bin"
INSIDE = "/workspace"
INSIDE_ID = 1000
OLDEST_BWRAP = (0, 8, 0)
PER_JAIL_NPROC = (5, 14)  # kernel from which process limits count within a user namespace

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
    "HOME": "/tmp",
    "USER": "agent",
    "LOGNAME": "agent",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}

ETC = {
    "passwd": f"agent:x:{INSIDE_ID}:{INSIDE_ID}::/tmp:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
    "group": f"agent:x:{INSIDE_ID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
ETC_FROM_HOST = ("ld.so.cache", "alternatives")
RESERVED = ("workspace", "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "proc", "dev", "sys", "tmp", "run")

# Enters the control groups and offers itself first to the out-of-memory killer, then becomes the next program.
ENTER = (
    'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1" || exit 97; shift; n=$((n-1)); done; '
    'echo 1000 >/proc/self/oom_score_adj; umask 022; exec "$@"'
)
JOIN_FAILED = 97

# The first process inside: reaps orphans while it waits, and takes all others along when it ends. Not bubblewrap's
# own, which runs outside the system call filter while everyone in the jail may write to its memory. The shell's own
# words ("Killed") are kept out of the command's stderr.
FIRST = 'exec 3>&2 2>/dev/null; ("$@" 2>&3 3>&-); exit $?'


@functools.lru_cache(maxsize=1)
def bwrap() -> str:
    """Path of bubblewrap.

    Raises:
        InputError: it is not installed, or too old.
    """
    found = shutil.which("bwrap", path=SEARCH)
    fix = "apt-get install bubblewrap (or your system's package of that name)"
    if found is None:
        raise InputError("bubblewrap is not installed, and nothing runs without a sandbox", fix=fix)
    said = subprocess.run([found, "--version"], capture_output=True, text=True, env={}, check=False).stdout
    version = tuple(int(n) for n in re.findall(r"\d+", said)[:3])
    if version < OLDEST_BWRAP:
        wanted = ".".join(map(str, OLDEST_BWRAP))
        raise InputError(f"{said.strip() or found} is too old, {wanted} or newer is needed", fix=fix)
    return found


def check_binds(binds: Mapping[str, Path]) -> dict[str, Path]:
    """Validate extra read-only binds, target inside -> path on the host.

    Raises:
        InputError: a target is not absolute, lies in a folder the jail makes itself, or a source is missing.
    """
    checked = {}
    for target, source in binds.items():
        pure = PurePosixPath(target)
        if not pure.is_absolute() or ".." in pure.parts or len(pure.parts) < 2 or pure.parts[1] in RESERVED:
            fix = "use an absolute path below a folder of its own, such as /opt/data"
            raise InputError(f"cannot bind at {target!r}", field="ro_binds", fix=fix)
        if not source.exists():
            raise InputError(f"there is nothing at {source}", field=f"ro_binds.{target}", fix="give an existing path")
        checked[str(pure)] = source.resolve()
    return checked


def launcher(
    join: Sequence[Path], limits: Limits, *, memory_held: bool, slot: int | None, stage_fd: int | None
) -> list[str]:
    """Programs that replace one another in front of bubblewrap, all small; `slot` is the id to drop to."""
    argv = ["/bin/sh", "-c", ENTER, "sh", str(len(join)), *map(str, join)]
    if stage_fd is not None:
        # Through our own /proc entry: a descriptor passed on would stay open all the way into the jail.
        argv += ["/usr/bin/nsenter", f"--mount=/proc/{os.getpid()}/fd/{stage_fd}", "--"]
    argv += ["/usr/bin/prlimit", *_rlimits(limits, memory_held=memory_held, own_uid=slot is not None), "--"]
    if slot is not None:
        argv += ["/usr/bin/setpriv", f"--reuid={slot}", f"--regid={slot}", "--clear-groups", "--no-new-privs", "--"]
    return [*argv, bwrap()]


def inner(limits: Limits) -> list[str]:
    """What runs first inside: the first process, then the process limit, then the command."""
    # Process limits count within the jail's own user namespace from here on, where the kernel can tell.
    count = [f"--nproc={limits.processes}:{limits.processes}"] if _counts_per_jail() else []
    return ["/bin/sh", "-c", FIRST, "sh", "/usr/bin/prlimit", *count, "--"]


def _rlimits(limits: Limits, *, memory_held: bool, own_uid: bool) -> list[str]:
    memory = limits.memory_mb << 20
    wanted = {
        # With a memory group this only catches absurd reservations: runtimes map far more than they use.
        "as": (resource.RLIMIT_AS, max(4 * memory, 4 << 30) if memory_held else memory),
        "core": (resource.RLIMIT_CORE, 0),
        "cpu": (resource.RLIMIT_CPU, limits.cpu_s),
        "fsize": (resource.RLIMIT_FSIZE, limits.file_mb << 20),
        "nofile": (resource.RLIMIT_NOFILE, limits.open_files),
        "memlock": (resource.RLIMIT_MEMLOCK, 1 << 20),
        "msgqueue": (resource.RLIMIT_MSGQUEUE, 1 << 16),
    }
    if own_uid:
        wanted["nproc"] = (resource.RLIMIT_NPROC, limits.processes + 4)
    options = []
    for name, (which, value) in wanted.items():
        hard = resource.getrlimit(which)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        options.append(f"--{name}={least}:{least}")
    return options


def _counts_per_jail() -> bool:
    numbers = re.findall(r"\d+", os.uname().release)
    return tuple(int(n) for n in numbers[:2]) >= PER_JAIL_NPROC


def jail_arguments(
    workspace: str,
    binds: Mapping[str, str],
    limits: Limits,
    *,
    writable: bool,
    env: Mapping[str, str],
    etc_fds: Mapping[str, int],
    seccomp_fd: int,
    status_fd: int,
) -> list[str]:
    """Arguments of bubblewrap: an empty root, then only what is named here."""
    # Nothing is shared with the host; the user namespace cannot be nested; the jail ends with its launcher.
    args = ["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"]
    args += [
        "--disable-userns",
        "--die-with-parent",
        "--as-pid-1",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--hostname",
        "sandbox",
    ]
    args += ["--uid", str(INSIDE_ID), "--gid", str(INSIDE_ID), "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        host = Path("/", name)
        if host.is_symlink():
            args += ["--symlink", str(host.readlink()), str(host)]
        elif host.is_dir():
            args += ["--ro-bind", str(host), str(host)]
    args += ["--dir", "/etc"]
    for name, fd in etc_fds.items():
        args += ["--perms", "0444", "--file", str(fd), f"/etc/{name}"]
    for name in ETC_FROM_HOST:
        args += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    args += ["--dir", "/var", "--symlink", "../tmp", "/var/tmp", "--proc", "/proc", "--dev", "/dev"]
    for mode, place in (("1777", "/tmp"), ("0755", "/run"), ("1777", "/dev/shm")):
        args += ["--perms", mode, "--size", str(limits.tmp_mb << 20), "--tmpfs", place]
    for target, source in binds.items():
        args += ["--ro-bind", source, target]
    args += ["--bind" if writable else "--ro-bind", workspace, INSIDE, "--chdir", INSIDE]
    # /proc too: writing there serves to change kernel settings or to rewrite another process's memory.
    args += ["--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/", "--clearenv"]
    for name, value in env.items():
        args += ["--setenv", name, value]
    return [*args, "--seccomp", str(seccomp_fd), "--json-status-fd", str(status_fd)]
