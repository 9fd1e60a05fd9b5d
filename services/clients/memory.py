"""The memory at the tools service."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from hybrid_agent.types import ToolCall
from services import wire
from services.channel import Channel
from services.wire import memory_pb2


class MemoryClient:
    """`protocols.Memory` at the tools service."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._stub = wire.memory_pb2_grpc.MemoryStub(channel.grpc)

    def retrieve(self, query: str, k: int) -> Sequence[str]:
        """See `protocols.Memory`."""
        request = memory_pb2.RetrieveRequest(query=query, k=k)
        return list(self._channel.ask(self._stub.Retrieve, request).notes)

    def remember(self, note: str, provenance: Mapping[str, str]) -> None:
        """See `protocols.Memory`."""
        key = secrets.token_hex(16)
        request = memory_pb2.RememberRequest(key=key, note=note, provenance=dict(provenance))
        self._channel.ask(self._stub.Remember, request)

    def teach(
        self, goal: str, calls: Sequence[ToolCall], provenance: Mapping[str, str], *, seen: Sequence[str] = ()
    ) -> str:
        """Offer a skill: a goal and the calls that did it; returns its state."""
        texts = [wire.dump(call) for call in calls]
        request = memory_pb2.TeachRequest(
            key=secrets.token_hex(16), goal=goal, calls=texts, provenance=dict(provenance), seen=list(seen)
        )
        return str(self._channel.ask(self._stub.Teach, request).status)
