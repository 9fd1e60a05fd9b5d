"""`hybrid-agent doctor`: is everything there that an episode needs, and what to type if not."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Annotated

import typer


@dataclass(frozen=True)
class Finding:
    """One line of the report. `fix` is what to type when it is not ok; a `note` never fails the command."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    required: bool = True


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check this machine: Python, sandbox, model, task packs, run folder. Exit 1 if something needed is missing."""
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("python", _python),
        ("packages", _packages),
        ("bubblewrap", _bubblewrap),
        ("sandbox", _sandbox),
        ("model", _model),
        ("task packs", _packs),
        ("runs", _runs),
    ]
    found = [_guarded(name, check) for name, check in checks]
    if as_json:
        import dataclasses
        import json

        print(json.dumps([dataclasses.asdict(finding) for finding in found]))
    else:
        for finding in found:
            mark = "ok  " if finding.ok else "MISS" if finding.required else "note"
            print(f"{mark} {finding.name:11} {finding.detail}")
            if not finding.ok and finding.fix:
                print(f"     {'':11} fix: {finding.fix}")
    raise typer.Exit(0 if all(finding.ok or not finding.required for finding in found) else 1)


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    from hybrid_agent.errors import HybridAgentError, InputError

    try:
        return check()
    except (HybridAgentError, ImportError, OSError) as error:
        fix = error.fix if isinstance(error, InputError) and error.fix else "run: make setup"
        return Finding(name, False, error.what if isinstance(error, InputError) else str(error), fix)


def _python() -> Finding:
    ok = sys.version_info >= (3, 11)
    return Finding("python", ok, platform.python_version(), "use Python 3.11 or newer")


def _packages() -> Finding:
    wanted = ("torch", "transformers", "llguidance", "bashlex", "pyseccomp")
    versions, missing = [], []
    for package in wanted:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    detail = ", ".join(versions) + ("; missing: " + ", ".join(missing) if missing else "")
    return Finding("packages", not missing, detail, "run: make setup")


def _bubblewrap() -> Finding:
    from hybrid_agent.tools.sandbox.command import bwrap

    return Finding("bubblewrap", True, bwrap())


def _sandbox() -> Finding:
    from hybrid_agent.errors import HybridAgentError
    from hybrid_agent.tools.sandbox.doctor import blocked_by, examine

    try:
        facts = [" ".join(line.split()) for line in examine()]
    except HybridAgentError as error:
        return Finding("sandbox", False, str(error), "; ".join(blocked_by()) or "run: make setup")
    return Finding("sandbox", True, "; ".join(facts))


def _model() -> Finding:
    from hybrid_agent.assemble.decoders import bundle_summary

    return Finding("model", True, bundle_summary())


def _packs() -> Finding:
    from hybrid_agent.packs.pack import pack_names

    names = pack_names()
    return Finding(
        "task packs", bool(names), ", ".join(names) or "none found", "run from the checkout, or set AGENT_DATA", False
    )


def _runs() -> Finding:
    import os

    from hybrid_agent.assemble.rundir import list_runs, runs_root

    root = runs_root()
    existing = next(parent for parent in (root, *root.parents) if parent.exists())
    ok = os.access(existing, os.W_OK)
    return Finding(
        "runs", ok, f"{root} ({len(list_runs(root))} runs)", "set HYBRID_AGENT_RUNS to a folder you may write to"
    )
