"""Everything on this machine: the four services and the gateway as processes. `python -m services.run [key=value ...]`.

What ends by itself is started again; one Ctrl-C (or SIGTERM) ends all of it, the gateway first.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from hybrid_agent.cli.exits import guarded
from hybrid_agent.config.serve import NAMES, ServeConfig
from services.address import address_of, check_guarded, read_token
from services.channel import Channel
from services.load import load_serve, needed, spec_of
from services.processes import Supervisor

ASK_S = 0.3


def commands(config: ServeConfig, overrides: Sequence[str]) -> dict[str, list[str]]:
    """What to start, in order.

    Raises:
        InputError: a part that is on is missing.
    """
    wanted = [name for name in needed(spec_of(config)) if name in config.start]
    found = {name: [sys.executable, "-m", f"services.{name}", *overrides] for name in wanted}
    if "gateway" in config.start:
        served = (
            [] if any(one.lstrip("+").startswith("gateway.parts=") for one in overrides) else ["gateway.parts=served"]
        )
        found["gateway"] = []
        for word in config.gateway_command:
            whole = {"{python}": [sys.executable], "{overrides}": [*overrides, *served]}
            found["gateway"] += whole.get(word, [word])
    return found


def run(overrides: Sequence[str]) -> int:
    """Start all and stay until they are to end; returns the exit code.

    Raises:
        InputError: the config is wrong.
    """
    config = load_serve(overrides)
    token = read_token(config.services.auth)
    for name in NAMES:  # a mistake is told of here, not by each process in turn
        check_guarded(address_of(config.services, name), config.services.auth, token)
    todo = commands(config, overrides)
    stop_s = max(config.services.one(name).limits.drain_s for name in NAMES) + 5
    over = threading.Event()
    watcher = threading.Thread(target=_tell_ready, args=(config, list(todo), over), daemon=True)
    try:
        return Supervisor(todo, config.restart, stop_s).run(started=watcher.start)
    finally:
        over.set()


def _tell_ready(config: ServeConfig, names: Sequence[str], over: threading.Event) -> None:
    """Say so once every service serves."""
    for name in NAMES:
        if name not in names:
            continue
        channel = Channel(name, address_of(config.services, name), config.services.auth, config.services.client)
        try:
            while not channel.healthy():
                if over.wait(ASK_S):
                    return
        finally:
            channel.close()
    print(f"ready: {', '.join(name for name in NAMES if name in names)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    guarded(lambda: run(sys.argv[1:]))
