"""Services for a measurement: in this process or as processes, in a folder that goes with them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.assemble.parts import HybridSpec
from hybrid_agent.config.serve import Name, ServeConfig
from services.clients import Services
from services.load import load_serve, needed, spec_of, start_service


@dataclass
class Farm:
    """Running services, and how to reach them."""

    config: ServeConfig
    spec: HybridSpec
    services: Services
    runs: Path
    overrides: Sequence[str]


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A short one, for sockets; removed at the end."""
    made = Path(tempfile.mkdtemp(prefix="ha-", dir="/tmp"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def farm(overrides: Sequence[str] = (), names: Sequence[Name] | None = None) -> Iterator[Farm]:
    """All services that the config's parts need (or `names`), in this process."""
    with folder() as base:
        every = [f"runs={base / 'runs'}", f"services.sockets={base / 's'}", *overrides]
        config = load_serve(every)
        spec = spec_of(config)
        chosen = tuple(names or needed(spec))
        running = []
        services = Services.from_config(config, chosen)
        try:
            for name in chosen:
                running.append(start_service(name, config))
            yield Farm(config, spec, services, base / "runs", every)
        finally:
            services.close()
            for one in reversed(running):
                one.drain()
