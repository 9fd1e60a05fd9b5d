"""All services together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Literal

from hybrid_agent.assemble.hybrid import VETO_P, Hybrid, make_scheduler, select_options, turn_budget
from hybrid_agent.assemble.parts import HybridSpec
from hybrid_agent.config.serve import NAMES, AuthConfig, ClientConfig, Name, ServeConfig
from hybrid_agent.traces.domains import domain_of
from hybrid_agent.types import SetupItem, ToolCall, Verdict
from services import wire
from services.address import Address, address_of
from services.channel import Channel, about
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
        self._can_score: bool | None = None  # what the decoder says of itself, once it was asked
        self._limits: dict[str, float] | None = None  # what the scorer says of its limits, once it was asked

    @classmethod
    def from_config(cls, config: ServeConfig, names: Sequence[Name] = NAMES) -> Services:
        """The services as configured, or some of them."""
        found = config.services
        return cls({name: address_of(found, name) for name in names}, found.auth, found.client)

    def hybrid(self, spec: HybridSpec, session: str, on_partial: OnPartial | None = None) -> Hybrid:
        """The parts of an agent for one session, as `spec` wants them; the gate is the tools service's.

        Args:
            spec: as the services were started with.
            session: of the tools service, opened before.
            on_partial: shown what unfinished candidates say so far.
        """
        scorer = self.scorer(session) if "scorer" in spec.parts else None
        limit, veto = spec.rules.veto_p, None
        if scorer is not None:
            if self._limits is None and limit is None:
                self._limits = scorer.thresholds()
            limits = self._limits or {}
            veto = (lambda text: limits.get(domain_of(text), VETO_P)) if limit is None else limit or None
        return Hybrid(
            decoder=self.decoder(session, scores=scorer is not None, on_partial=on_partial),
            scorer=scorer,
            planner=self.planner(session) if "planner" in spec.parts else None,
            scheduler=make_scheduler(spec),  # rules without weights: asking for them costs more than following them
            select=select_options(spec, veto),
            budget=turn_budget(spec),
            spec=spec,
        )

    def decoder(self, session: str = "", *, scores: bool = True, on_partial: OnPartial | None = None) -> DecoderClient:
        """The decoder for a session. `scores`: it may score candidates itself, if it has a scorer."""
        channel = self.channels["decoder"]
        if scores and self._can_score is None:
            stub = wire.decoder_pb2_grpc.DecoderStub(channel.grpc)
            self._can_score = bool(about(channel, stub).get("scores"))
        can = scores and bool(self._can_score)
        return DecoderClient(channel, session=session, scores=can, on_partial=on_partial)

    def scorer(self, session: str = "") -> ScorerClient:
        """The scorer for a session; "" has no gate."""
        return ScorerClient(self.channels["scorer"], session)

    def planner(self, session: str) -> PlannerClient:
        """The planner for a session."""
        return PlannerClient(self.channels["planner"], session)

    def scheduler(self) -> SchedulerClient:
        """The scheduler at its service, for callers that have no rules of their own; `hybrid` follows them itself."""
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

    def toolbox(self, session: str) -> ToolboxClient:
        """The toolbox of a session that is open already, for looking at calls."""
        return ToolboxClient(self.channels["tools"], session, Path())

    def away(self) -> list[Name]:
        """The services that do not answer or do not serve now."""
        return [name for name, channel in self.channels.items() if not channel.healthy()]

    def close(self) -> None:
        """Close all channels."""
        for channel in self.channels.values():
            channel.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
