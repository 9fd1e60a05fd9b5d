"""Evaluate checks on a workspace: one process in the sandbox for the whole list."""

from __future__ import annotations

import functools
import importlib.util
import json
import secrets
from collections.abc import Sequence
from pathlib import Path

from hybrid_agent.checks import values
from hybrid_agent.errors import SandboxError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.types import Check, CheckResult, CommandCheck

COMMAND_S = 20.0  # wall seconds one command check may take
SPARE_S = 15.0


def verify_ro_binds() -> dict[str, Path]:
    """What the sandbox must bind read-only for YAML values: {path inside: path on the host}."""
    spec = importlib.util.find_spec("ruamel.yaml")
    if spec is None or spec.origin is None:
        return {}
    return {f"{values.YAML_FOLDER}/ruamel": Path(spec.origin).resolve().parent.parent}


@functools.cache
def jail_source() -> str:
    """The program that runs inside: both modules as one text."""
    here = Path(__file__).parent
    jail = (here / "jail.py").read_text()
    kept = [line for line in jail.splitlines() if not line.startswith("from hybrid_agent.")]
    return (here / "values.py").read_text() + "\n" + "\n".join(kept) + "\nmain()\n"


def verify(sandbox: Sandbox, checks: Sequence[Check], *, command_s: float = COMMAND_S) -> list[CheckResult]:
    """One result per check, in order.

    The workspace is writable only if there are command checks. Python runs isolated, so that modules planted in the
    workspace are not imported by the judge.

    Args:
        sandbox: made with `verify_ro_binds()` if YAML files are to be read.
        checks: what must hold.
        command_s: wall seconds for each command check.

    Raises:
        SandboxError: the sandbox did not run the program.
    """
    if not checks:
        return []
    commands = sum(isinstance(check, CommandCheck) for check in checks)
    nonce = secrets.token_hex(16)
    given = {
        "nonce": nonce,
        "timeout_s": command_s,
        "checks": [check.model_dump(mode="json") for check in checks],
    }
    limit = commands * command_s + SPARE_S
    done = sandbox.run(
        ["/usr/bin/python3", "-I", "-S", "-c", jail_source()],
        stdin=json.dumps(given).encode(),
        timeout_s=limit,
        writable=commands > 0,
    )
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(nonce):
            results = json.loads(line[len(nonce) :])
            return [CheckResult(ok=ok, detail=detail) for ok, detail in results]
    if done.timed_out or done.killed_by:
        why = f"not evaluated: the checks hit the {done.killed_by or 'time'} limit"
        return [CheckResult(ok=False, detail=why) for _ in checks]
    raise SandboxError(f"the checks could not be run (exit {done.exit_code}): {done.stderr.strip()[-300:]}")
