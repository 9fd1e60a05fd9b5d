"""The sandbox of the patch loop: limits for test suites, and an interpreter with pytest in it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.errors import InputError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.tools.sandbox.command import RESERVED

SYSTEM = "/usr/bin/python3"
MAPPED = "/opt/hybrid-agent/pytest"
PYTEST = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")
DISTRIBUTIONS = ("pytest", "pluggy")
ENVIRONMENTS = (".venv", "venv")
LIMITS = Limits(memory_mb=2048, cpu_s=600, disk_mb=2048, disk_files=200_000, tmp_mb=256, output_kb=32768, flood_mb=64)


@dataclass(frozen=True)
class RepairSandbox:
    """What `swe.agent.repair` needs: how to make a sandbox on a copy, the interpreter inside, folders of modules."""

    make: Callable[[Path], Sandbox]
    python: str
    paths: tuple[str, ...]


def repair_sandbox(
    python: str | None = None, repo: Path | None = None, *, backend: str = "bubblewrap", limits: Limits = LIMITS
) -> RepairSandbox:
    """Choose an interpreter and show it, read-only, to the sandbox.

    Args:
        python: an interpreter of this machine, also of a virtual environment; None: the repository's own
            environment (.venv or venv) if it has one, else the system's Python.
        repo: where an environment is looked for.
        backend: "bubblewrap", or "none" (no isolation; for machines that are thrown away).
        limits: ceilings of one sandbox.

    Raises:
        InputError: the interpreter is not there, or lies where it cannot be shown.
    """
    if python is None and repo is not None:
        found = (repo / name / "bin" / "python" for name in ENVIRONMENTS)
        python = next((str(path.absolute()) for path in found if path.exists()), None)
    if python is not None and "/" not in python:
        python = f"/usr/bin/{python}"
    chosen = python or SYSTEM
    facts = _facts(chosen)
    binds: dict[str, Path] = {}
    for place in (facts["prefix"], facts["base"]):
        if place.startswith(("/usr/", "/opt/hybrid-agent")) or place == "/usr":
            continue
        if Path(place).parts[1] in RESERVED:
            fix = "make the environment below another folder, e.g. in the repository's .venv"
            raise InputError(f"{place} cannot be shown inside the sandbox", field="python", fix=fix)
        binds[place] = Path(place)
    paths: tuple[str, ...] = ()
    if not facts["pytest"]:
        own = _own_pytest()
        if backend == "bubblewrap":
            binds.update({f"{MAPPED}/{path.name}": path for path in own})
            paths = (MAPPED,) if own else ()

    def make(workspace: Path) -> Sandbox:
        return make_sandbox(backend, workspace, limits, ro_binds=binds if backend == "bubblewrap" else None)

    return RepairSandbox(make, facts["executable"], paths)


def _facts(python: str) -> dict[str, str]:
    code = (
        "import sys, json, importlib.util as u; print(json.dumps({'prefix': sys.prefix, 'base': sys.base_prefix, "
        "'executable': sys.executable, 'pytest': '1' if u.find_spec('pytest') else ''}))"
    )
    fix = "name an interpreter, e.g. --python .venv/bin/python"
    try:
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=False)
        facts: dict[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        raise InputError(f"{python} is no Python interpreter that runs", field="python", fix=fix) from None
    return facts


def _own_pytest() -> list[Path]:
    """The pytest beside this package: pure Python, so another interpreter may use it."""
    found = []
    for name in PYTEST:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            origin = Path(spec.origin)
            found.append(origin.parent if origin.name == "__init__.py" else origin)
    if not found or found[0].name != "pytest":
        return []
    # Without -q pytest prints the versions of these, which it reads from their metadata.
    return found + [about for name in DISTRIBUTIONS for about in found[0].parent.glob(f"{name}-*.dist-info")]
