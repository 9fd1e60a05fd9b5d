"""Services as containers run them: health by command, also of a part that the model does not have."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest


def health(*addresses: str) -> int:
    """Exit code of the health check that images use."""
    return subprocess.run(
        [sys.executable, "-m", "services.health", *addresses], capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize("name", ["tools", "scorer"])
def test_a_service_is_healthy_or_idle_and_ends_on_request(tmp_path: Path, name: str) -> None:
    sockets = tmp_path / "s"
    address = f"unix:{sockets}/{name}.sock"
    assert health(address) == 1 and health() == 2
    command = [
        sys.executable,
        "-m",
        "services.container",
        name,
        f"services.sockets={sockets}",
        f"runs={tmp_path / 'runs'}",
    ]
    # Without parts beside it, a decoder needs no scorer.
    command += ["hybrid=greedy"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as process:
        try:
            for _ in range(600):
                if health(address) == 0:
                    break
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.1)
            assert health(address) == 0
        finally:
            process.terminate()
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0 and ("only health is served" in said) == (name == "scorer")


def test_no_such_service() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.container", "x"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "decoder|scorer|planner|tools" in done.stderr
