"""Schema of `configs/serve.yaml`: the four services, the gateway, and which parts they load. Loads without grpc."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hybrid_agent.config.gateway import GatewayConfig
from hybrid_agent.config.hybrid import HybridConfig
from hybrid_agent.config.part_overrides import PartOverrides
from hybrid_agent.types import Record

Name = Literal["decoder", "scorer", "planner", "tools"]
NAMES: tuple[Name, ...] = ("decoder", "scorer", "planner", "tools")
Address = Annotated[str, Field(min_length=1, max_length=400)]


class TlsConfig(Record):
    """Files of a certificate with its key, and the authority that the other side's certificate must be signed by."""

    cert: str
    key: str
    ca: str


class AuthConfig(Record):
    """Who may call over TCP: who has the token (`token_file`, else $HYBRID_AGENT_SERVICE_TOKEN), or a certificate.

    Unix sockets are guarded by their mode, 0600, and need neither; with a token they ask for it too.
    """

    token_file: str | None = None
    tls: TlsConfig | None = None


class LimitsConfig(Record):
    """What one service takes on.

    `message_mb` is the largest message, `workers` the calls that are worked on at a time, `calls` those that may be
    under way at all (more are refused as RESOURCE_EXHAUSTED). `sessions` are open workspaces and planner states; one
    that nobody used for `idle_s` is put aside and opened again when it is asked for. `drain_s` is what calls under
    way get at the end.
    """

    message_mb: float = Field(default=8.0, gt=0, le=256)
    workers: int = Field(default=32, ge=1, le=512)
    calls: int = Field(default=256, ge=1, le=10_000)
    sessions: int = Field(default=256, ge=1, le=100_000)
    idle_s: float = Field(default=900.0, gt=0)
    drain_s: float = Field(default=10.0, ge=0, le=600)


class ServiceConfig(Record):
    """One service. `address` is `unix:PATH` or `HOST:PORT`; null is a socket in the sockets' folder."""

    address: Address | None = None
    limits: LimitsConfig = LimitsConfig()


class ClientConfig(Record):
    """How the services are called.

    A service that is away is tried again for `patience_s`, long enough for a restart. `call_s` limits calls that have
    no limit of their own; `propose_s` one turn of the decoder.
    """

    patience_s: float = Field(default=30.0, ge=0, le=3600)
    call_s: float = Field(default=60.0, gt=0, le=3600)
    propose_s: float = Field(default=300.0, gt=0, le=3600)


class ServicesConfig(Record):
    """The four services. `sockets` is the folder of their sockets; null is one in the person's runtime folder."""

    sockets: str | None = None
    decoder: ServiceConfig = ServiceConfig()
    scorer: ServiceConfig = ServiceConfig()
    planner: ServiceConfig = ServiceConfig()
    tools: ServiceConfig = ServiceConfig()
    auth: AuthConfig = AuthConfig()
    client: ClientConfig = ClientConfig()

    def one(self, name: Name) -> ServiceConfig:
        """The service of that name."""
        found = getattr(self, name)
        assert isinstance(found, ServiceConfig)
        return found


class RestartConfig(Record):
    """A process that ends by itself is started again after `wait_s`, twice as long each time up to `wait_most_s`;
    after `most` times within `within_s` everything ends with an error."""

    wait_s: float = Field(default=0.2, ge=0, le=60)
    wait_most_s: float = Field(default=5.0, ge=0, le=600)
    most: int = Field(default=10, ge=0, le=1000)
    within_s: float = Field(default=60.0, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> RestartConfig:
        if self.wait_most_s < self.wait_s:
            raise ValueError("wait_most_s is less than wait_s")
        return self


class ServeConfig(PartOverrides):
    """`decoder` to `tuned` are as in eval.yaml. `runs` is the folder of runs and workspaces; null is the person's.

    `start` are the processes that `python -m services.run` starts; `gateway_command` is the gateway's, `{python}`
    stands for this interpreter and `{overrides}` for what was typed behind the command.
    """

    hybrid: HybridConfig = HybridConfig()
    decoder: Annotated[str, Field(min_length=1)] = "tiny"
    trained: str = "runs"
    runs: str | None = None
    sandbox: Annotated[str, Field(min_length=1)] = "bubblewrap"
    services: ServicesConfig = ServicesConfig()
    start: tuple[Literal["decoder", "scorer", "planner", "tools", "gateway"], ...] = (*NAMES, "gateway")
    restart: RestartConfig = RestartConfig()
    gateway_command: tuple[str, ...] = ("{python}", "-m", "services.gateway", "{overrides}")
    gateway: GatewayConfig = GatewayConfig()


SCHEMA = ServeConfig
