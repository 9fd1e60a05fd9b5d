"""A workspace at the tools service."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hybrid_agent.agent.act import Acted
from hybrid_agent.types import Check, CheckResult, Observation, Step, ToolCall, Verdict
from services import wire
from services.channel import Channel
from services.wire import tools_pb2
from services.workspace import FileChange, FileInfo

SPARE_S = 30.0  # what a call of a tool may take beyond its own limit: waiting, snapshots, the comparison
VERIFY_S = 600.0


class RemoteWorkspace:
    """The files of a session, as `Agent` reads them."""

    def __init__(self, ask: Callable[..., Any], stub: Any, session: str) -> None:
        self._ask, self._stub, self._session = ask, stub, session

    def read(self, path: str) -> bytes:
        """A file's bytes.

        Raises:
            ToolFailure: it is not there, no file, too large, or outside.
        """
        reply = self._ask(self._stub.Read, tools_pb2.ReadRequest(session=self._session, path=path))
        return bytes(reply.data)


class RemoteSandbox:
    """Stands for a session's sandbox where only its place is of interest."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    def close(self) -> None:
        """The service closes it with the session."""


class ToolboxClient:
    """`protocols.Toolbox` at a service, with what `LocalToolbox` offers beyond it.

    Args:
        channel: to the tools service.
        session: an open one.
        workspace: where the service keeps its files.
        ask: decides about destructive calls in a session opened with approve="ask".
        answer: a person's reply to the tool `ask`.
    """

    def __init__(
        self,
        channel: Channel,
        session: str,
        workspace: Path,
        *,
        goal: str = "",
        ask: Callable[[ToolCall, Verdict], bool] | None = None,
        answer: Callable[[str], str | None] | None = None,
    ) -> None:
        self._channel, self.session, self.goal, self._ask, self._answer = channel, session, goal, ask, answer
        self._stub = wire.tools_pb2_grpc.ToolsStub(channel.grpc)
        self._granted: str | None = None
        self._saved = ""  # the snapshot of the last check, while nothing has happened since
        self._listed: tuple[str, ...] | None = None  # likewise the listing
        self.workspace = RemoteWorkspace(channel.ask, self._stub, session)
        self.sandbox = RemoteSandbox(workspace)

    # --- protocols.Toolbox
    def check(self, call: ToolCall) -> Verdict:
        """See `protocols.Toolbox`; a person is asked here, not in the service."""
        text = wire.dump(call)
        request = tools_pb2.CheckRequest(session=self.session, call=text)
        reply = self._channel.ask(self._stub.Check, request)
        self._granted = None
        if reply.ask:
            verdict = wire.load(Verdict, reply.verdict, "verdict")
            yes = self._ask is not None and self._ask(call, verdict)
            request.answer = tools_pb2.ANSWER_GRANTED if yes else tools_pb2.ANSWER_REFUSED
            reply = self._channel.ask(self._stub.Check, request)
            self._granted = text if yes else None
        self._saved = str(reply.snapshot)
        return wire.load(Verdict, reply.verdict, "verdict")

    def execute(self, call: ToolCall) -> Observation:
        """See `protocols.Toolbox`. Sent again while the service is away, the call still acts once."""
        self._saved = ""
        request = self._execution(call)
        if self._granted == request.call:
            request.answer = tools_pb2.ANSWER_GRANTED
        self._granted = None
        if call.tool == "ask" and self._answer is not None:
            request.reply = self._answer(str(call.args.get("question", ""))) or ""
        return self._observed(call, self._channel.ask(self._stub.Execute, request, _seconds(call)))

    def act(self, call: ToolCall) -> Acted:
        """See `agent.act.ActingToolbox`. A person is asked here, not in the service."""
        if call.tool == "ask":  # nobody is bothered with a question that the gate stops
            verdict = self.check(call)
            return Acted(verdict, self.execute(call) if verdict.allow else None)
        self._saved, self._granted = "", None
        request, begun, waited_ms = self._execution(call), time.perf_counter(), 0.0
        reply = self._channel.ask(self._stub.Act, request, _seconds(call))
        verdict = wire.load(Verdict, reply.verdict, "verdict")
        if reply.ask:
            yes = self._ask is not None and self._ask(call, verdict)
            request.answer = tools_pb2.ANSWER_GRANTED if yes else tools_pb2.ANSWER_REFUSED
            waited_ms = (time.perf_counter() - begun) * 1e3
            reply = self._channel.ask(self._stub.Act, request, _seconds(call))
            verdict = wire.load(Verdict, reply.verdict, "verdict")
        if not reply.observation:
            return Acted(verdict, gate_ms=waited_ms + reply.gate_ms)
        return Acted(verdict, self._observed(call, reply), reply.snapshot or None, waited_ms + reply.gate_ms)

    def verify(self, checks: Sequence[Check]) -> list[CheckResult]:
        """See `protocols.Toolbox`."""
        request = tools_pb2.VerifyRequest(session=self.session, checks=[wire.dump(check) for check in checks])
        self._saved, self._listed = "", None  # a check may run a command
        reply = self._channel.ask(self._stub.Verify, request, VERIFY_S)
        return [wire.load(CheckResult, text, "results") for text in reply.results]

    def files(self) -> tuple[str, ...]:
        """See `protocols.Toolbox`. Right after a call of `plan`, it is the listing that came with its outcome."""
        if self._listed is not None:
            return self._listed
        return tuple(self._channel.ask(self._stub.Files, tools_pb2.FilesRequest(session=self.session)).files)

    def snapshot(self) -> str:
        """See `protocols.Toolbox`. Right after `check`, it is the one that was taken there."""
        if self._saved:
            return self._saved
        return str(self._channel.ask(self._stub.Snapshot, tools_pb2.SnapshotRequest(session=self.session)).snapshot)

    def rollback(self, snapshot: str) -> None:
        """See `protocols.Toolbox`."""
        self.roll_back(snapshot)

    def _execution(self, call: ToolCall) -> Any:
        return tools_pb2.ExecuteRequest(session=self.session, key=secrets.token_hex(16), call=wire.dump(call))

    def _observed(self, call: ToolCall, reply: Any) -> Observation:
        observation = wire.load(Observation, reply.observation, "observation")
        self._listed = tuple(reply.files) if call.tool == "plan" and observation.ok else None
        return observation

    # --- beyond
    def roll_back(self, snapshot: str | None) -> str | None:
        """Put a snapshot back (None: the first, the state before anything was changed); None if there is none."""
        self._saved, self._listed = "", None
        request = tools_pb2.RollbackRequest(session=self.session, snapshot=snapshot or "")
        return str(self._channel.ask(self._stub.Rollback, request).snapshot) or None

    def preview(self, call: ToolCall) -> Verdict:
        """What `check` would say, without asking anybody or saving anything."""
        return self.previews([call])[0]

    def previews(self, calls: Sequence[ToolCall]) -> list[Verdict]:
        """`preview` of several calls at once."""
        request = tools_pb2.PreviewRequest(session=self.session, calls=[wire.dump(call) for call in calls])
        reply = self._channel.ask(self._stub.Preview, request)
        return [wire.load(Verdict, text, "verdicts") for text in reply.verdicts]

    def changes(self, since: str | None = None) -> list[FileChange]:
        """What differs from a snapshot (None: the first)."""
        request = tools_pb2.ChangesRequest(session=self.session, since=since or "")
        found = self._channel.ask(self._stub.Changes, request).files
        return [FileChange(path=one.path, kind=one.kind, diff=one.diff) for one in found]

    def listed(self) -> tuple[list[FileInfo], bool]:
        """All regular files, and whether there are more than are listed."""
        reply = self._channel.ask(self._stub.List, tools_pb2.ListRequest(session=self.session))
        return [FileInfo(one.path, one.bytes, one.modified) for one in reply.files], reply.cut

    def resume(self, steps: Sequence[Step]) -> None:
        """Go on after stored steps: what the service did beyond them, for a caller that was killed, is taken back."""
        small = [wire.dump(step.model_copy(update={"window": None, "candidates": ()})) for step in steps]
        self._channel.ask(self._stub.Resume, tools_pb2.ResumeRequest(session=self.session, steps=small))

    def close(self, *, remove: bool = False) -> None:
        """Free the session's sandbox; what is on disk stays unless `remove`."""
        request = tools_pb2.CloseRequest(session=self.session, remove=remove)
        self._channel.ask(self._stub.Close, request)


def _seconds(call: ToolCall) -> float:
    return max(call.policy.timeout_s, 600.0 if call.tool == "plan" else 0.0) + 2 * SPARE_S
