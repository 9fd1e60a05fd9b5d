"""A gateway of one's own for a measurement: a process on a free port with a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hybrid_agent.errors import InfraError

STOP_S = 60.0


@contextmanager
def own_gateway(folder: Path, overrides: Sequence[str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Its address and its process, which is stopped at the end.

    Raises:
        InfraError: it does not start; its own words are on stderr.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "services.gateway", "port=0", f"runs={folder}", *overrides],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("gateway: "):
            raise InfraError("the gateway did not start")
        yield line.split()[1], process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stdout.close()
