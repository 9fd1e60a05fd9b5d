"""Services in this process, on real sockets in a folder that goes with them: for measurements and tests."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from hybrid_agent.config.serve import Name, ServeConfig
from services.clients import Services
from services.load import load_serve, start_service
from services.server import Running


class Farm:
    """Services of one config, and how to reach them; `stop` one or `start` it again.

    Args:
        base: runs and sockets lie in it.
        overrides: of configs/serve.yaml.
    """

    def __init__(self, base: Path, *overrides: str) -> None:
        self.base = base
        self.overrides = [f"runs={base / 'runs'}", f"services.sockets={base / 's'}", *overrides]
        self.config: ServeConfig = load_serve(self.overrides)
        self.running: dict[Name, Running] = {}
        self.services = Services.from_config(self.config)

    def start(self, *names: Name) -> Farm:
        """Start these."""
        for name in names:
            self.running[name] = start_service(name, self.config)
        return self

    def stop(self, name: Name) -> None:
        """Drain it."""
        self.running.pop(name).drain()

    def close(self) -> None:
        """Stop all, the last one first."""
        self.services.close()
        for name in reversed(list(self.running)):
            self.stop(name)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """One whose path leaves room for a socket's name; removed at the end."""
    made = Path(tempfile.mkdtemp(prefix="ha-", dir="/tmp"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def farm(*names: Name, overrides: Sequence[str] = ()) -> Iterator[Farm]:
    """These services, in a folder of their own."""
    with folder() as base:
        made = Farm(base, *overrides)
        try:
            yield made.start(*names)
        finally:
            made.close()
