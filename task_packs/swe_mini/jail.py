"""Runs the tests of an instance in the sandbox, by the very script that the official harness runs in a container."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.errors import InputError
from hybrid_agent.tools.sandbox import Limits, make_sandbox

PYTEST = "/opt/pytest"
# pytest and what it needs; all plain Python, so one copy serves any interpreter of the same version
PACKAGES = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py")
DISTRIBUTIONS = ("pytest", "pluggy")
LIMITS = Limits(memory_mb=1024, processes=64, cpu_s=300, output_kb=1024)
ROOT = "SWE_MINI_ROOT"  # variable of the eval script: where the repository is, if not at /testbed
SCRIPT = 'exec 2>&1; exec /bin/bash -c "$1"'


@dataclass(frozen=True)
class Ran:
    """What a script printed (both streams in order), how it ended, and the limit that ended it, if one did."""

    output: str
    exit_code: int
    killed_by: str | None
    seconds: float


def pytest_files() -> dict[str, Path]:
    """Name -> folder or module of each part on this machine.

    Raises:
        InputError: one is not installed.
    """
    found = {}
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise InputError(f"the package {name} is not installed", fix="make setup")
        origin = Path(spec.origin)
        whole = origin.parent if spec.submodule_search_locations else origin
        found[whole.name] = whole
    for name in DISTRIBUTIONS:  # pytest asks for the versions of its parts
        about = importlib.metadata.distribution(name).locate_file("")
        for folder in Path(str(about)).glob(f"{name}-*.dist-info"):
            found[folder.name] = folder
    return found


def run_script(script: str, folder: Path, timeout_s: float = 300.0) -> Ran:
    """Run a shell script on a folder, which may be changed by it.

    Raises:
        SandboxError: no jail can be built here.
    """
    binds = {f"{PYTEST}/{name}": path for name, path in pytest_files().items()}
    sandbox = make_sandbox("bubblewrap", folder, LIMITS, ro_binds=binds)
    try:
        done = sandbox.run(
            ["/bin/bash", "-c", SCRIPT, "eval", script],
            timeout_s=timeout_s,
            env={ROOT: "/workspace", "PYTHONPATH": PYTEST, "PYTHONHASHSEED": "0"},
        )
    finally:
        sandbox.close()
    return Ran(done.stdout + done.stderr, done.exit_code, done.killed_by, done.duration_ms / 1000)
