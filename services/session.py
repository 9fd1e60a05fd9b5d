"""One workspace behind the gate: toolbox, sandbox and journal, in a folder that a new process can open again.

<root>/<session>/session.json   what it was opened with; written when the workspace is ready
                 workspace/     what the agent works on
                 state/         snapshots, audit, revert script, calls.jsonl (the journal)
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from hybrid_agent.agent.act import Acted
from hybrid_agent.assemble.agent import build_sandbox
from hybrid_agent.errors import Cancelled, InputError, SandboxError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.runs.atomic import write_text
from hybrid_agent.tools.ask import NOBODY
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.policy_model import PolicyModel
from hybrid_agent.tools.sandbox.stop import Stop, stoppable
from hybrid_agent.tools.snapshot import SnapshotStore
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.tools.workspace import Workspace
from hybrid_agent.types import Check, CheckResult, Observation, Record, SetupItem, Step, ToolCall, Verdict
from services.call import current_call
from services.journal import Begun, Journal
from services.status import NotFound, OutOfTime
from services.workspace import FileInfo, populate, regular_files

INFO, WORKSPACE, STATE, JOURNAL = "session.json", "workspace", "state", "calls.jsonl"
WAIT_S = 600.0


class SessionInfo(Record):
    """session.json."""

    session: str
    goal: str = ""
    approve: Literal["ask", "auto", "deny"] = "deny"
    sandbox: str = "bubblewrap"
    setup: tuple[SetupItem, ...] = ()
    ready: bool = False


class AskFirst(Exception):
    """A person has to decide about a call before its verdict is known."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class Session:
    """One open workspace. Methods may be called from several threads; they take turns."""

    def __init__(self, folder: Path, info: SessionInfo, gate: PolicyModel | None) -> None:
        self.folder, self.info, self._gate = folder, info, gate
        self.used = time.monotonic()
        self._lock = threading.RLock()
        self._checked: tuple[str, Verdict] | None = None
        self._stop: Stop | None = None
        self._answer: bool | None = None
        self._reply: str | None = None
        self._sandbox: Sandbox = build_sandbox(info.sandbox, folder / WORKSPACE)
        try:
            self._toolbox = LocalToolbox(
                folder / WORKSPACE,
                folder / STATE,
                self._sandbox,
                approve=info.approve,
                ask=self._ask,
                answer=self._said,
                policy=gate,
                goal=info.goal,
            )
            self._journal = Journal(folder / STATE / JOURNAL)
        except BaseException:
            self._sandbox.close()
            raise
        plan = self._toolbox.plan
        plan.steps, plan.index = tuple(self._journal.plan[0]), self._journal.plan[1]
        first = self._toolbox.snapshots.first()
        if first and self._journal.acting():
            self._toolbox.began_at(first)

    # --- making and finding
    @classmethod
    def make(cls, folder: Path, info: SessionInfo, gate: PolicyModel | None) -> tuple[Session, bool]:
        """The session of a folder, made if it is not there; True if it was made now.

        Raises:
            InputError: it is there with another goal, setup or way of approving; or the setup is bad.
            SandboxError: the sandbox cannot be built, or a setup command failed.
        """
        known = _read_info(folder)
        if known is not None and known.ready:
            if known.model_copy(update={"ready": False}) != info:
                raise InputError("a session of that name was opened otherwise", field="session", fix="choose another")
            return cls(folder, known, gate), False
        workspace = folder / WORKSPACE
        if known is None and workspace.exists() and any(workspace.iterdir()):
            raise InputError("the session's folder is in use", field="session", fix="choose another name")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(folder / INFO, info.model_dump_json())
        for part in (WORKSPACE, STATE):  # of a setup that was cut off
            shutil.rmtree(folder / part, ignore_errors=True)
            (folder / part).mkdir()
        session = cls(folder, info, gate)
        try:
            with session.turn():
                populate(session._toolbox.workspace, session._sandbox, info.setup)
        except BaseException:
            session.close()
            shutil.rmtree(folder / WORKSPACE, ignore_errors=True)
            (folder / INFO).unlink(missing_ok=True)
            raise
        session.info = info.model_copy(update={"ready": True})
        write_text(folder / INFO, session.info.model_dump_json())
        return session, True

    @classmethod
    def find(cls, folder: Path, gate: PolicyModel | None) -> Session:
        """The session of a folder.

        Raises:
            NotFound: there is none.
        """
        info = _read_info(folder)
        if info is None or not info.ready:
            raise NotFound(f"there is no session {folder.name!r}", field="session", fix="open it first")
        return cls(folder, info, gate)

    # --- what the tools service offers
    def check(self, call: ToolCall, answer: bool | None) -> tuple[Verdict, str]:
        """The gate's verdict, and the snapshot of the workspace if the call may change it (else empty).

        Raises:
            AskFirst: a person has to decide, and `answer` is None.
        """
        with self.turn():
            return self._check(call, answer)

    def preview(self, calls: Sequence[ToolCall]) -> list[Verdict]:
        """What `check` would say, without asking or saving."""
        with self.turn():
            return [self._toolbox.preview(call) for call in calls]

    def execute(self, key: str, call: ToolCall, answer: bool | None, reply: str | None) -> tuple[Observation, bool]:
        """Run a call once; True if it had run before.

        A call that was cut off by the end of an earlier process is undone (its snapshot is put back) and run again.

        Raises:
            InputError: the key was used for another call.
            AskFirst: a person has to decide, and `answer` is None.
            SandboxError: the sandbox is broken.
        """
        with self.turn():
            return self._execute(key, call, answer, reply)

    def act(self, key: str, call: ToolCall, answer: bool | None, reply: str | None) -> tuple[Acted, bool]:
        """Check a call, and run it once if it is allowed; True if it had run before. Errors as of `execute`."""
        with self.turn():
            begun, started = self._journal.begun(key), time.perf_counter()
            if begun is None:
                verdict, snapshot = self._check(call, answer)
                if not verdict.allow:
                    return Acted(verdict, gate_ms=(time.perf_counter() - started) * 1e3), False
            else:  # sent again; what it may have changed is no longer to be judged
                verdict, snapshot = begun.verdict or self._toolbox.preview(call), begun.snapshot or ""
            gate_ms = (time.perf_counter() - started) * 1e3
            observation, again = self._execute(key, call, answer, reply)
            return Acted(verdict, observation, snapshot or None, gate_ms), again

    def resume(self, steps: Sequence[Step]) -> str:
        """Bring everything to where these steps left it; returns the snapshot that was put back, if one had to be.

        For a caller that was killed: it may have had calls run that it does not know of.
        """
        acted = sum(step.snapshot is not None for step in steps)
        with self.turn():
            later = self._journal.acting()[acted:]
            undone = later[0].snapshot or "" if later else ""
            if undone:
                self._toolbox.rollback(undone)
            self._journal.forget_after(acted)
            plan = self._toolbox.plan
            plan.steps, plan.index = (), 0
            self._toolbox.resume(steps)
            return undone

    def verify(self, checks: Sequence[Check]) -> list[CheckResult]:
        """Evaluate checks."""
        with self.turn():
            return self._toolbox.verify(checks)

    def files(self) -> Sequence[str]:
        """Capped listing."""
        with self.turn():
            return self._toolbox.files()

    def listed(self) -> tuple[list[FileInfo], bool]:
        """All regular files, and whether there are more than are listed."""
        with self.turn():
            return regular_files(self._toolbox.workspace)

    def snapshot(self) -> str:
        """Save the workspace."""
        with self.turn():
            return self._toolbox.snapshot()

    def rollback(self, snapshot: str) -> str:
        """Put a snapshot back (empty: the first); returns it, or empty if there is none.

        Raises:
            InputError: there is no such snapshot.
        """
        with self.turn():
            chosen = snapshot or self._toolbox.snapshots.first() or ""
            if chosen:
                self._toolbox.rollback(chosen)
            return chosen

    def read(self, path: str) -> bytes:
        """A file's bytes.

        Raises:
            ToolFailure: it is not there, no file, too large, or outside.
        """
        with self.turn():
            return self._toolbox.workspace.read(path)

    @contextlib.contextmanager
    def store(self) -> Iterator[tuple[SnapshotStore, Workspace]]:
        """Snapshots and workspace, while nobody else uses them."""
        with self.turn():
            yield self._toolbox.snapshots, self._toolbox.workspace

    def close(self) -> None:
        """Free the sandbox; what is on disk stays."""
        with self._lock:
            self._toolbox.close()
            self._sandbox.close()

    def _check(self, call: ToolCall, answer: bool | None) -> tuple[Verdict, str]:
        self._answer = answer
        verdict = self._toolbox.check(call)
        self._checked = (call.model_dump_json(), verdict)
        acts = verdict.allow and verdict.state_changing
        return verdict, self._toolbox.snapshots.list()[-1] if acts else ""

    def _execute(self, key: str, call: ToolCall, answer: bool | None, reply: str | None) -> tuple[Observation, bool]:
        text = call.model_dump_json()
        begun = self._journal.begun(key)
        if begun is not None and begun.call != text:
            raise InputError("the key was used for another call", field="key", fix="choose a new one")
        done = self._journal.done(key)
        if done is not None:
            return done, True
        self._answer, self._reply = answer, reply
        if begun is None:
            checked, self._checked = self._checked, None
            verdict = checked[1] if checked and checked[0] == text else self._toolbox.preview(call)
            acts = verdict.allow and verdict.state_changing
            self._journal.begin(key, Begun(text, self._toolbox.snapshot() if acts else None, verdict))
        elif begun.snapshot is not None:
            self._toolbox.rollback(begun.snapshot)
        plan = self._toolbox.plan
        before = plan.steps, plan.index
        try:
            observation = self._toolbox.execute(call)
        except SandboxError:
            plan.steps, plan.index = before
            raise
        if self._stop is not None and self._stop.is_set:
            # Cut off: the same key again undoes it and runs it anew.
            plan.steps, plan.index = before
            raise Cancelled("the caller has gone")
        self._journal.end(key, observation, (plan.steps, plan.index))
        return observation, False

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Have the session for oneself; the end of the RPC kills what runs for it.

        Raises:
            OutOfTime, Cancelled: the caller did not wait that long.
        """
        call = current_call()
        left = call.time_left() if call else None
        if not self._lock.acquire(timeout=WAIT_S if left is None else max(left, 0.0)):
            raise OutOfTime("another call of the session is still under way")
        try:
            self.used = time.monotonic()
            if call is None:
                yield
                return
            call.check()
            with stoppable() as stop, call.then(stop.set):
                self._stop = stop
                yield
                if stop.is_set and call.over:
                    raise Cancelled("the caller has gone")
        finally:
            self._answer = self._reply = self._stop = None
            self.used = time.monotonic()
            self._lock.release()

    def _said(self, question: str) -> str | None:
        if self._reply is None:
            raise ToolFailure(NOBODY)
        return self._reply or None

    def _ask(self, call: ToolCall, verdict: Verdict) -> bool:
        if self._answer is None:
            raise AskFirst(verdict)
        return self._answer


def _read_info(folder: Path) -> SessionInfo | None:
    try:
        return SessionInfo.model_validate_json((folder / INFO).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SandboxError(f"session.json of {folder.name} is damaged: {error}") from None
