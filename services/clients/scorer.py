"""The scorer at a service."""

from __future__ import annotations

from collections.abc import Sequence

from hybrid_agent.types import Score, Segment, Window
from services import wire
from services.channel import Channel, about
from services.wire import scorer_pb2


class ScorerClient:
    """`protocols.Scorer` at a service. The service asks the tools service for the gate's verdicts by itself."""

    def __init__(self, channel: Channel, session: str = "") -> None:
        self._channel, self._session = channel, session
        self._stub = wire.scorer_pb2_grpc.ScorerStub(channel.grpc)

    def score(self, window: Window, candidates: Sequence[Segment]) -> list[Score]:
        """See `protocols.Scorer`."""
        if not candidates:
            return []
        texts = [wire.dump(candidate) for candidate in candidates]
        request = scorer_pb2.ScoreRequest(window=wire.dump(window), candidates=texts, session=self._session)
        reply = self._channel.ask(self._stub.Score, request)
        return [Score(energy=score.energy, p=score.p) for score in reply.scores]

    def thresholds(self) -> dict[str, float]:
        """The probability below which the scorer would veto a call, for each domain that has such a limit."""
        return dict(about(self._channel, self._stub).get("thresholds") or {})
