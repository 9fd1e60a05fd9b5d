"""`python -m services.container NAME [KEY=VALUE ...]`: one service as a container runs it.

The same as `python -m services.NAME`, except that a part the model does not have is no error: its container then only
answers health checks. Compose files and manifests name all services, whatever the model consists of.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hybrid_agent.cli.exits import guarded
from hybrid_agent.config.serve import NAMES, Name, ServeConfig
from hybrid_agent.errors import InputError
from services.address import address_of
from services.load import load_serve, needed, spec_of, start_service
from services.server import Running, run_until_signal, start


def start_contained(name: Name, config: ServeConfig) -> Running:
    """Listen; with nothing but health if the model has no such part.

    Raises:
        InputError: a part is damaged, or the address cannot be used.
    """
    if name in needed(spec_of(config)):
        return start_service(name, config)
    print(f"this model has no {name}; only health is served", file=sys.stderr, flush=True)
    limits = config.services.one(name).limits
    return start(lambda server: (), address_of(config.services, name), limits, config.services.auth)


def main(words: Sequence[str]) -> None:
    """Run the service until a signal ends it."""
    found = next((name for name in NAMES if words and words[0] == name), None)
    if found is None:
        raise InputError("no such service", fix=f"python -m services.container {'|'.join(NAMES)} [KEY=VALUE ...]")
    run_until_signal(start_contained(found, load_serve(words[1:])))


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
