"""Which folders may be a workspace: never one whose loss or change would hurt more than the task."""

from __future__ import annotations

from pathlib import Path

from hybrid_agent.errors import InputError

TREES = ("/bin", "/boot", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr")
SHARED = ("/dev", "/dev/shm", "/home", "/media", "/mnt", "/opt", "/run", "/srv", "/tmp", "/var", "/var/tmp")
OPTION = "--workspace"


def checked_workspace(folder: Path, runs: Path) -> Path:
    """The folder as a real absolute path.

    Raises:
        InputError: it is not a folder, or one that the agent must not be let loose on.
    """
    try:
        real = folder.expanduser().resolve(strict=True)
    except (OSError, RuntimeError):
        raise InputError(
            f"no such folder: {folder}", where=OPTION, fix=f"make it first: mkdir -p {folder}, or leave the option out"
        ) from None
    if not real.is_dir():
        raise InputError(f"not a folder: {folder}", where=OPTION, fix="name a folder")
    home = Path.home().resolve()
    checkout = Path(__file__).resolve().parents[2]
    fix = "use a folder of its own for the task, or leave the option out to get a fresh one"
    if real == Path("/") or real == home or real in home.parents:
        raise InputError(f"{real} is or holds your home folder", where=OPTION, fix=fix)
    if str(real) in SHARED or any(real.is_relative_to(tree) for tree in TREES):
        raise InputError(f"{real} belongs to the system", where=OPTION, fix=fix)
    if (checkout / "pyproject.toml").is_file() and (real == checkout or real in checkout.parents):
        raise InputError(f"{real} holds hybrid-agent's own source", where=OPTION, fix=fix)
    state = runs.resolve()
    if real == state or real in state.parents:
        raise InputError(f"{real} holds the records of runs", where=OPTION, fix=fix + "; or move --runs-dir")
    return real
