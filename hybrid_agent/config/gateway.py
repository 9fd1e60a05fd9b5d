"""Schema of the section `gateway` of `configs/serve.yaml`: the HTTP gateway. Loads without fastapi."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hybrid_agent.types import Record

Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9_.:-]+$")]


class GatewayRuns(Record):
    """Agent runs.

    `concurrent` runs are worked on at a time (each in-process one with parts of its own, about 60 MB for the tiny
    bundle), `queue` more may wait; beyond that a new run is refused with 429. `approval_s` is how long a question to
    a person stays open; no answer means no. `max_steps` and `attempts` are those of `hybrid-agent run`. `memory`: runs
    use what worked before, and learn (see docs/memory.md); not with parts that are served.
    """

    concurrent: int = Field(default=2, ge=1, le=256)
    queue: int = Field(default=128, ge=0, le=100_000)
    max_steps: int = Field(default=40, ge=1, le=1000)
    attempts: int = Field(default=2, ge=1, le=5)
    approval_s: float = Field(default=600.0, gt=0, le=86_400)
    files: int = Field(default=200, ge=0, le=10_000)
    artifact_mb: float = Field(default=16.0, gt=0, le=1024)
    memory: bool = False


class GatewayChat(Record):
    """`/v1/chat/completions`. `model` is the name that clients use; `max_tokens` is for requests without a limit of
    their own, `most_tokens` the most that may be asked for, over all of `n`. `concurrent` replies are written at a
    time, `queue` more requests may wait."""

    model: str = Field(default="hybrid-agent", min_length=1, max_length=100)
    max_tokens: int = Field(default=256, ge=1)
    most_tokens: int = Field(default=8192, ge=1)
    concurrent: int = Field(default=1, ge=1, le=256)
    queue: int = Field(default=32, ge=0, le=10_000)


class Telemetry(Record):
    """OpenTelemetry traces. Nothing is recorded by default; `console` writes spans to stderr, `otlp` sends them to
    `endpoint` (needs the package opentelemetry-exporter-otlp-proto-http)."""

    exporter: Literal["none", "console", "otlp"] = "none"
    endpoint: str | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Telemetry:
        if self.exporter == "otlp" and not self.endpoint:
            raise ValueError("otlp needs an endpoint")
        return self


class GatewayConfig(Record):
    """Where the gateway listens and what it takes on.

    `port` 0 takes a free one. `parts` says whether the agent's parts are loaded into this process (`local`) or called
    at the addresses of the section `services` (`served`). A token is needed everywhere but on the machine itself: the
    one in `token_file`, else in $HYBRID_AGENT_TOKEN, else one that is made and kept beside the runs. `names` are
    further host names under which it may be called. `body_mb` is the largest request, `heartbeat_s` the time between
    signs of life on an idle event stream, `drain_s` what turns under way get when it is stopped.
    """

    host: Host = "127.0.0.1"
    port: int = Field(default=8642, ge=0, le=65_535)
    parts: Literal["local", "served"] = "local"
    token_file: str | None = None
    names: tuple[Host, ...] = ()
    body_mb: float = Field(default=2.0, gt=0, le=256)
    heartbeat_s: float = Field(default=15.0, gt=0, le=300)
    drain_s: float = Field(default=10.0, ge=0, le=600)
    runs: GatewayRuns = GatewayRuns()
    chat: GatewayChat = GatewayChat()
    telemetry: Telemetry = Telemetry()

    @model_validator(mode="after")
    def _memory_is_here(self) -> GatewayConfig:
        if self.runs.memory and self.parts == "served":
            raise ValueError("runs.memory needs parts=local: a served workspace is not replayed here")
        return self
