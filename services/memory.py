"""Memory, served beside the tools. Storing what is known already changes nothing, so a repeated call does no harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import grpc

from hybrid_agent.errors import InputError
from hybrid_agent.memory.store import ColdMemory
from hybrid_agent.types import ToolCall
from services import wire
from services.wire import memory_pb2 as pb

NAME = "hybrid.v1.Memory"
MOST_NOTES, MOST_CALLS, MOST_PROVENANCE = 64, 256, 32


class MemoryService(wire.memory_pb2_grpc.MemoryServicer):  # type: ignore[misc]
    """Answers for `hybrid.v1.Memory`."""

    def __init__(self, memory: ColdMemory) -> None:
        self.memory = memory

    def Retrieve(self, request: pb.RetrieveRequest, context: grpc.ServicerContext) -> pb.RetrieveReply:
        if not 1 <= request.k <= MOST_NOTES:
            raise InputError("out of range", field="k", fix=f"ask for 1 to {MOST_NOTES}")
        return pb.RetrieveReply(notes=self.memory.retrieve(request.query, request.k))

    def Remember(self, request: pb.RememberRequest, context: grpc.ServicerContext) -> pb.RememberReply:
        wire.key_of(request.key)
        self.memory.remember(request.note, _provenance(request.provenance))
        return pb.RememberReply()

    def Teach(self, request: pb.TeachRequest, context: grpc.ServicerContext) -> pb.TeachReply:
        wire.key_of(request.key)
        calls = wire.load_all(ToolCall, request.calls, "calls", MOST_CALLS)
        entry = self.memory.teach(request.goal, calls, _provenance(request.provenance), seen=tuple(request.seen))
        return pb.TeachReply(id=str(entry.id), status=entry.status)


def _provenance(given: Mapping[str, str]) -> dict[str, str]:
    if len(given) > MOST_PROVENANCE:
        raise InputError("too much", field="provenance", fix=f"name {MOST_PROVENANCE} things at most")
    return dict(given)


def register(service: MemoryService, server: grpc.Server) -> Sequence[str]:
    """Add the service to a server; returns what it serves."""
    wire.memory_pb2_grpc.add_MemoryServicer_to_server(service, server)
    return [NAME]
