"""The gateway's section of `configs/serve.yaml`."""

from __future__ import annotations

from pydantic import Field

from hybrid_agent.types import Record


class GatewayConfig(Record):
    """Where the gateway listens. A host that is not loopback needs a token."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
