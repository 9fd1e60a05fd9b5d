"""Control groups around a sandbox: memory, process count and CPU share of all its processes together.

Version 1 (one hierarchy a controller) and version 2 (one hierarchy) are both written. Nothing is
assumed: a group counts only if its limit files could be written.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.tools.sandbox.limits import Limits

ROOT = Path("/sys/fs/cgroup")
PREFIX = "hybrid-agent-"
CONTROLLERS = ("memory", "pids", "cpu")
PERIOD_US = 100_000
HELPERS = 8  # launcher and init of a jail or two, beside the processes granted
_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Group:
    """The directories that hold one sandbox's processes; `version` is 0 where none could be made."""

    version: int
    dirs: tuple[Path, ...]
    controllers: tuple[str, ...]

    @property
    def join_files(self) -> tuple[Path, ...]:
        """Files to which a process writes its id to enter."""
        return tuple(d / "cgroup.procs" for d in self.dirs)

    def oom_kills(self) -> int:
        """Processes the kernel has killed here for memory so far."""
        for d in self.dirs:
            for name in ("memory.oom_control", "memory.events"):
                with contextlib.suppress(OSError, ValueError):
                    for line in (d / name).read_text().splitlines():
                        if line.startswith("oom_kill "):
                            return int(line.split()[1])
        return 0

    def remove(self) -> None:
        """Delete the directories; processes still dying get a moment."""
        for d in self.dirs:
            for _ in range(50):
                try:
                    d.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    with contextlib.suppress(OSError):
                        (d / "cgroup.kill").write_text("1")
                    time.sleep(0.01)
                else:
                    break


def make_group(limits: Limits) -> Group:
    """Make the groups of one sandbox under our own; `Group(0, (), ())` where that is not permitted."""
    name = f"{PREFIX}{os.getpid()}-{started(os.getpid())}-{next(_serial)}"
    paths = _own_paths()
    made: list[Path] = []
    held: list[str] = []
    for controller in CONTROLLERS:
        base = _mount_of(controller)
        if base is None or controller not in paths:
            continue
        group = _made(base / paths[controller].lstrip("/") / name)
        if group is None:
            continue
        if _write(group, _v1_values(controller, limits)):
            made.append(group)
            held.append(controller)
        else:
            _discard(group)
    if made:
        return Group(1, tuple(made), tuple(held))
    return _make_v2(name, limits, paths.get("", "/"))


def _make_v2(name: str, limits: Limits, own: str) -> Group:
    root = next((p for p in (ROOT, ROOT / "unified") if (p / "cgroup.controllers").exists()), None)
    if root is None:
        return Group(0, (), ())
    here = root / own.lstrip("/")
    # Groups with processes of their own cannot hand controllers down, so the nearest ancestor that does is used.
    for parent in (here, *here.parents):
        if parent != root and root not in parent.parents:
            break
        with contextlib.suppress(OSError):
            wanted = [c for c in CONTROLLERS if c in (parent / "cgroup.controllers").read_text().split()]
            for c in wanted:
                with contextlib.suppress(OSError):
                    (parent / "cgroup.subtree_control").write_text(f"+{c}")
            held = [c for c in wanted if c in (parent / "cgroup.subtree_control").read_text().split()]
            if "memory" not in held and "pids" not in held:
                continue
            # A process may only be moved by who may write the group common to both places.
            if not os.access(parent / "cgroup.procs", os.W_OK):
                continue
            group = _made(parent / name)
            if group is None:
                continue
            if _write(group, {k: v for c in held for k, v in _v2_values(c, limits).items()}):
                return Group(2, (group,), tuple(held))
            _discard(group)
    return Group(0, (), ())


def sweep() -> int:
    """Remove empty groups left by processes that are gone; returns how many."""
    removed = 0
    paths = _own_paths()
    places = [m / paths[c].lstrip("/") for c in CONTROLLERS if (m := _mount_of(c)) is not None and c in paths]
    for root in (ROOT, ROOT / "unified"):
        here = root / paths.get("", "/").lstrip("/")
        places += [p for p in (here, *here.parents) if p == root or root in p.parents]
    for place in places:
        # Our own group may differ from that of the process that died: look beside it, too.
        beside = place.parent.glob(f"*/{PREFIX}*") if len(place.parts) > 5 else ()
        for d in (*place.glob(PREFIX + "*"), *beside):
            pid, began = [*d.name.removeprefix(PREFIX).split("-"), "", ""][:2]
            if pid.isdigit() and started(int(pid)) == began:
                continue
            if _discard(d):
                removed += 1
    return removed


def _v1_values(controller: str, limits: Limits) -> dict[str, str]:
    size = str(limits.memory_mb << 20)
    return {
        "memory": {"memory.limit_in_bytes": size, "?memory.memsw.limit_in_bytes": size},
        "pids": {"pids.max": str(limits.processes + HELPERS)},
        "cpu": {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(int(limits.cpus * PERIOD_US))},
    }[controller]


def _v2_values(controller: str, limits: Limits) -> dict[str, str]:
    return {
        "memory": {"memory.max": str(limits.memory_mb << 20), "?memory.swap.max": "0"},
        "pids": {"pids.max": str(limits.processes + HELPERS)},
        "cpu": {"cpu.max": f"{int(limits.cpus * PERIOD_US)} {PERIOD_US}"},
    }[controller]


def _write(group: Path, values: dict[str, str]) -> bool:
    """Write limit files; names that start with '?' may be absent (swap accounting off)."""
    for name, value in values.items():
        try:
            (group / name.lstrip("?")).write_text(value)
        except OSError:
            if not name.startswith("?"):
                return False
    return True


def _made(path: Path) -> Path | None:
    try:
        path.mkdir()
    except OSError:
        return None
    return path


def _discard(path: Path) -> bool:
    try:
        path.rmdir()
    except OSError:
        return False
    return True


def _mount_of(controller: str) -> Path | None:
    """Where a version 1 controller is mounted (often several share one directory)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            _, where, kind, options = line.split()[:4]
            if kind == "cgroup" and controller in options.split(","):
                return Path(where)
    return None


def _own_paths() -> dict[str, str]:
    """Our own group, by controller; the version 2 path under the empty name."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            for name in names.split(","):
                found[name] = path
    return found


def started(pid: int) -> str:
    """Start time of a process in clock ticks, "" if it is gone: tells a reused id from the old one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""
