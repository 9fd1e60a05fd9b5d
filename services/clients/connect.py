"""All services together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Literal

from hybrid_agent.config.serve import NAMES, AuthConfig, ClientConfig, Name, ServeConfig
from hybrid_agent.types import SetupItem, ToolCall, Verdict
from services import wire
from services.address import Address, address_of
from services.channel import Channel, about, healthy
from services.clients.decoder import DecoderClient, OnPartial
from services.clients.memory import MemoryClient
from services.clients.planner import PlannerClient, SchedulerClient
from services.clients.scorer import ScorerClient
from services.clients.tools import ToolboxClient
from services.wire import tools_pb2

ApprovalMode = Literal["ask", "auto", "deny"]


class Services(AbstractContextManager["Services"]):
    """Channels to the four services; safe to use from several threads.

    Args:
        addresses: of the services that are there.
        auth: our token and certificates.
        config: timeouts and patience.
    """

    def __init__(
        self, addresses: Mapping[Name, Address], auth: AuthConfig | None = None, config: ClientConfig | None = None
    ) -> None:
        self.channels = {name: Channel(name, address, auth, config) for name, address in addresses.items()}

    @classmethod
    def from_config(cls, config: ServeConfig) -> Services:
        """The services as configured."""
        found = config.services
        return cls({name: address_of(found, name) for name in NAMES}, found.auth, found.client)

    def decoder(self, session: str = "", *, scores: bool = True, on_partial: OnPartial | None = None) -> DecoderClient:
        """The decoder for a session. `scores`: it may score candidates itself, if it has a scorer."""
        channel = self.channels["decoder"]
        can = scores and bool(about(channel, wire.decoder_pb2_grpc.DecoderStub(channel.grpc)).get("scores"))
        return DecoderClient(channel, session=session, scores=can, on_partial=on_partial)

    def scorer(self, session: str = "") -> ScorerClient:
        """The scorer for a session; "" has no gate."""
        return ScorerClient(self.channels["scorer"], session)

    def planner(self, session: str) -> PlannerClient:
        """The planner for a session."""
        return PlannerClient(self.channels["planner"], session)

    def scheduler(self) -> SchedulerClient:
        """The scheduler."""
        return SchedulerClient(self.channels["planner"])

    def memory(self) -> MemoryClient:
        """The memory."""
        return MemoryClient(self.channels["tools"])

    def open(
        self,
        session: str,
        *,
        goal: str = "",
        setup: Sequence[SetupItem] = (),
        approve: ApprovalMode = "deny",
        ask: Callable[[ToolCall, Verdict], bool] | None = None,
        answer: Callable[[str], str | None] | None = None,
    ) -> ToolboxClient:
        """Make a session with its workspace, or open the one that is there again (with the same arguments).

        Raises:
            InputError: the setup is bad, or the session was opened otherwise.
        """
        channel = self.channels["tools"]
        stub = wire.tools_pb2_grpc.ToolsStub(channel.grpc)
        mode = "deny" if approve == "ask" and ask is None else approve
        request = tools_pb2.OpenRequest(
            session=session, goal=goal, approve=mode, setup=[wire.dump(item) for item in setup]
        )
        reply = channel.ask(stub.Open, request)
        return ToolboxClient(channel, session, Path(reply.workspace), goal=goal, ask=ask, answer=answer)

    def away(self) -> list[Name]:
        """The services that do not answer or do not serve now."""
        return [name for name, channel in self.channels.items() if not healthy(channel)]

    def close(self) -> None:
        """Close all channels."""
        for channel in self.channels.values():
            channel.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
