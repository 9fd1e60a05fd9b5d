"""`python -m services.gateway [KEY=VALUE ...]`: the HTTP gateway with the config `configs/serve.yaml`.

`port=0` is short for `gateway.port=0`, `runs.queue=9` for `gateway.runs.queue=9`, and so on for all keys of the gateway
(but `runs=FOLDER` is where runs are kept). When it listens it prints one line:
`gateway: http://HOST:PORT`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from hybrid_agent.cli.exits import guarded
from hybrid_agent.config.gateway import GatewayConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.config.serve import ServeConfig


def overrides(words: Sequence[str]) -> list[str]:
    """The words with the gateway's own keys at their place in the config."""
    own = GatewayConfig.model_fields.keys() - ServeConfig.model_fields.keys()
    found = []
    for word in words:
        head = word.split("=")[0].split(".")[0]
        found.append(f"gateway.{word}" if head in own or word.startswith("runs.") else word)
    return found


def main(words: Sequence[str]) -> None:
    """Listen until a signal ends it."""
    if any(word in ("-h", "--help") for word in words):
        print(__doc__)
        return
    config = load_config("serve", overrides(words), ServeConfig)
    from services.gateway.listen import listen

    listen(config, Path(config.runs) if config.runs else None)


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
