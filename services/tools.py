"""The tools service: gate, sandbox, snapshots and (when it is there) memory. `python -m services.tools`."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

import grpc

from hybrid_agent.errors import InputError
from hybrid_agent.types import Observation, SetupItem, Step, ToolCall
from services import wire
from services.session import AskFirst, Session, SessionInfo
from services.sessions import Sessions
from services.wire import tools_pb2 as pb
from services.workspace import differences

NAME = "hybrid.v1.Tools"
MOST_SETUP, MOST_CALLS, MOST_STEPS = 2000, 128, 2000
APPROVE = ("ask", "auto", "deny")
READ_CAP = 4 * 2**20
SWEEP_S = 30.0


class ToolsService(wire.tools_pb2_grpc.ToolsServicer):  # type: ignore[misc]
    """Answers for `hybrid.v1.Tools`.

    Args:
        sessions: the workspaces.
        sandbox: the backend of sessions that do not ask for one.
        about: what `About` says.
    """

    def __init__(self, sessions: Sessions, sandbox: str = "bubblewrap", about: dict[str, Any] | None = None) -> None:
        self.sessions, self.sandbox, self.about = sessions, sandbox, about or {}

    def Open(self, request: pb.OpenRequest, context: grpc.ServicerContext) -> pb.OpenReply:
        if request.approve not in APPROVE:
            raise InputError("not a way of approving", field="approve", fix=f"use one of {', '.join(APPROVE)}")
        if request.sandbox and request.sandbox != self.sandbox:
            fix = f"leave it out; this service uses {self.sandbox}"
            raise InputError("the sandbox is not the caller's to choose", field="sandbox", fix=fix)
        info = SessionInfo(
            session=wire.session_of(request.session),
            goal=request.goal,
            approve=request.approve,
            sandbox=self.sandbox,
            setup=tuple(wire.load_all(SetupItem, request.setup, "setup", MOST_SETUP)),
        )
        session, fresh = self.sessions.open(info)
        return pb.OpenReply(workspace=str(session.folder / "workspace"), fresh=fresh)

    def Close(self, request: pb.CloseRequest, context: grpc.ServicerContext) -> pb.CloseReply:
        self.sessions.close(wire.session_of(request.session), remove=request.remove)
        return pb.CloseReply()

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckReply:
        call = wire.load(ToolCall, request.call, "call")
        with self.sessions.using(request.session) as session:
            try:
                verdict, snapshot = session.check(call, _answer(request.answer))
            except AskFirst as ask:
                return pb.CheckReply(verdict=wire.dump(ask.verdict), ask=True)
        return pb.CheckReply(verdict=wire.dump(verdict), snapshot=snapshot)

    def Preview(self, request: pb.PreviewRequest, context: grpc.ServicerContext) -> pb.PreviewReply:
        calls = wire.load_all(ToolCall, request.calls, "calls", MOST_CALLS)
        with self.sessions.using(request.session) as session:
            return pb.PreviewReply(verdicts=[wire.dump(verdict) for verdict in session.preview(calls)])

    def Execute(self, request: pb.ExecuteRequest, context: grpc.ServicerContext) -> pb.ExecuteReply:
        key, call = wire.key_of(request.key), wire.load(ToolCall, request.call, "call")
        reply = request.reply if request.HasField("reply") else None
        with self.sessions.using(request.session) as session:
            try:
                observation, again = session.execute(key, call, _answer(request.answer), reply)
                files = _listing(session, call, observation)
            except AskFirst:
                fix = "check it first, then send the person's answer"
                raise InputError("a person has to approve this call", field="answer", fix=fix) from None
        return pb.ExecuteReply(observation=wire.dump(observation), repeated_key=again, files=files)

    def Act(self, request: pb.ExecuteRequest, context: grpc.ServicerContext) -> pb.ActReply:
        key, call = wire.key_of(request.key), wire.load(ToolCall, request.call, "call")
        reply = request.reply if request.HasField("reply") else None
        with self.sessions.using(request.session) as session:
            try:
                acted, again = session.act(key, call, _answer(request.answer), reply)
            except AskFirst as ask:
                return pb.ActReply(verdict=wire.dump(ask.verdict), ask=True)
            found = acted.obs
            files = _listing(session, call, found)
        return pb.ActReply(
            verdict=wire.dump(acted.verdict),
            snapshot=acted.snapshot or "",
            observation="" if found is None else wire.dump(found),
            repeated_key=again,
            files=files,
            gate_ms=acted.gate_ms,
        )

    def Resume(self, request: pb.ResumeRequest, context: grpc.ServicerContext) -> pb.ResumeReply:
        steps = wire.load_all(Step, request.steps, "steps", MOST_STEPS)
        with self.sessions.using(request.session) as session:
            return pb.ResumeReply(undone=session.resume(steps))

    def Verify(self, request: pb.VerifyRequest, context: grpc.ServicerContext) -> pb.VerifyReply:
        checks = wire.checks_of(request.checks, "checks")
        with self.sessions.using(request.session) as session:
            return pb.VerifyReply(results=[wire.dump(result) for result in session.verify(checks)])

    def Files(self, request: pb.FilesRequest, context: grpc.ServicerContext) -> pb.FilesReply:
        with self.sessions.using(request.session) as session:
            return pb.FilesReply(files=session.files())

    def List(self, request: pb.ListRequest, context: grpc.ServicerContext) -> pb.ListReply:
        with self.sessions.using(request.session) as session:
            files, cut = session.listed()
        rows = [pb.ListedFile(path=f.path, bytes=f.size, modified=f.modified) for f in files]
        return pb.ListReply(files=rows, cut=cut)

    def Snapshot(self, request: pb.SnapshotRequest, context: grpc.ServicerContext) -> pb.SnapshotReply:
        with self.sessions.using(request.session) as session:
            return pb.SnapshotReply(snapshot=session.snapshot())

    def Rollback(self, request: pb.RollbackRequest, context: grpc.ServicerContext) -> pb.RollbackReply:
        with self.sessions.using(request.session) as session:
            return pb.RollbackReply(snapshot=session.rollback(request.snapshot))

    def Read(self, request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadReply:
        with self.sessions.using(request.session) as session:
            return pb.ReadReply(data=session.read(request.path))

    def Changes(self, request: pb.ChangesRequest, context: grpc.ServicerContext) -> pb.ChangesReply:
        with self.sessions.using(request.session) as session, session.store() as (store, _):
            since = request.since or store.first()
            found = differences(store, since) if since else []
        return pb.ChangesReply(files=[pb.FileChange(path=f.path, kind=f.kind, diff=f.diff) for f in found])

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        about = {**self.about, "sandbox": self.sandbox, "sessions": len(self.sessions)}
        return wire.common_pb2.AboutReply(about=json.dumps(about))


def _listing(session: Session, call: ToolCall, found: Observation | None) -> Sequence[str]:
    """The listing after a call of `plan` that went well: the loop wants it then."""
    return session.files() if call.tool == "plan" and found is not None and found.ok else ()


def _answer(answer: int) -> bool | None:
    known = {pb.ANSWER_NONE: None, pb.ANSWER_GRANTED: True, pb.ANSWER_REFUSED: False}
    if answer not in known:
        raise InputError("not an answer", field="answer", fix="use ANSWER_GRANTED or ANSWER_REFUSED")
    return known[answer]


def register(service: ToolsService, server: grpc.Server) -> Sequence[str]:
    """Add the service to a server; returns what it serves. Idle sessions are put aside from now on."""
    wire.tools_pb2_grpc.add_ToolsServicer_to_server(service, server)

    def sweep() -> None:
        while True:
            threading.Event().wait(SWEEP_S)
            service.sessions.sweep()

    threading.Thread(target=sweep, name="sweep", daemon=True).start()
    return [NAME]


__all__ = ["NAME", "ToolsService", "register"]


if __name__ == "__main__":
    from services.load import main

    main("tools")
