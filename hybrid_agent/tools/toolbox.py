"""The toolbox: the gate, the tools, snapshots and the audit around one workspace."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from hybrid_agent.checks import verify
from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools import registry
from hybrid_agent.tools.audit import AuditLog, changes, shown_paths
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.findings import Facts, Findings
from hybrid_agent.tools.listing import listing
from hybrid_agent.tools.policy_features import Situation
from hybrid_agent.tools.policy_model import Decision, PolicyModel
from hybrid_agent.tools.redact import redact
from hybrid_agent.tools.revert import RevertScript
from hybrid_agent.tools.rules import study
from hybrid_agent.tools.scan import Tree, kind_of
from hybrid_agent.tools.snapshot import SnapshotStore
from hybrid_agent.tools.tool import Context, PlanState
from hybrid_agent.tools.workspace import INSIDE, Workspace
from hybrid_agent.types import CallPolicy, Check, CheckResult, Observation, Step, ToolCall, Verdict

Approve = Literal["ask", "auto", "deny"]
OUT_CAP = 20_000
ERR_CAP = 8_000
ACTING = "acting.json"  # the last call that could change something: its number, and the snapshot before it
JUDGED = ("fs", "editor", "exec_code", "shell")  # what the classifier was trained on


class LocalToolbox:
    """Satisfies `protocols.Toolbox` for a workspace on this machine.

    Args:
        workspace: an existing folder.
        state_dir: snapshots, contents, audit.jsonl and revert.sh of the episode go here; outside the workspace.
        sandbox: where processes run; its workspace is the same folder.
        approve: what happens to destructive calls: asked about, done, or (unattended) denied.
        ask: decides in mode "ask"; gets the call and its verdict. Without it "ask" denies.
        answer: a person's reply to the `ask` tool, or None when nobody is there.
        allow_destructive: the task itself asks for removal, so destructive calls inside the workspace are granted.
        policy: the trained classifier that judges what the rules let through, if any.
        goal: what the agent is to do; may be set later as the attribute `goal`. The step is the plan's current one.
    """

    def __init__(
        self,
        workspace: Path,
        state_dir: Path,
        sandbox: Sandbox,
        *,
        approve: Approve = "deny",
        ask: Callable[[ToolCall, Verdict], bool] | None = None,
        answer: Callable[[str], str | None] | None = None,
        allow_destructive: bool = False,
        policy: PolicyModel | None = None,
        goal: str = "",
    ) -> None:
        self.workspace = Workspace(workspace)
        self.sandbox = sandbox
        self.snapshots = SnapshotStore(state_dir, workspace)
        self._audit = AuditLog(state_dir / "audit.jsonl")
        self._revert = RevertScript(state_dir / "revert.sh", workspace.resolve(), self.snapshots.objects.spot)
        self.policy, self.goal = policy, goal
        self._approve, self._ask, self._allow_destructive = approve, ask, allow_destructive
        self._context = Context(self.workspace, sandbox, self.verify, answer)
        self._host = sorted({str(workspace), str(workspace.resolve())}, key=len, reverse=True)
        self._decided: tuple[str, Verdict] | None = None
        self._first: Tree | None = None
        self._acting, self._acted = state_dir / ACTING, 0

    @property
    def plan(self) -> PlanState:
        """The plan as the calls so far have made it."""
        return self._context.plan

    def resume(self, steps: Sequence[Step]) -> None:
        """Know what the stored steps of an earlier process did: the plan, and what the episode found at its start."""
        plan = self._context.plan
        for step in steps:
            if step.obs is None or not step.obs.ok or step.verdict is None:
                continue
            call = ToolCall.model_validate_json(step.content)
            if call.tool == "plan" and call.args.get("op") == "set":
                plan.steps, plan.index = tuple(call.args["steps"]), 0
            elif call.tool == "plan":
                plan.index += 1
        first = self.snapshots.first()
        self._acted = sum(step.snapshot is not None for step in steps)
        if first and self._acted:
            self._first = self.snapshots.tree(first)

    def began_at(self, snapshot: str) -> None:
        """Know the snapshot that an earlier process took before the episode first changed something."""
        self._first = self.snapshots.tree(snapshot)

    # --- protocols.Toolbox
    def check(self, call: ToolCall) -> Verdict:
        """The gate's verdict, approval included; in mode "ask" this is where the person is asked."""
        try:
            args = registry.parse_args(call.tool, call.args)
        except InputError as error:
            return Verdict(allow=False, rule="schema", reason=str(error))
        findings = study(args, Facts(self._kind, self._precious))
        verdict = self._approval(call, self._classified(call, findings))
        if verdict.allow and verdict.state_changing:
            try:
                self.snapshots.take()
            except ToolFailure as failure:  # what cannot be put back must not be changed
                verdict = Verdict(
                    allow=False, rule="snapshot", reason=f"the workspace cannot be saved: {failure.reason}"
                )
        self._decided = (registry.call_json(call), verdict)
        return verdict

    def preview(self, call: ToolCall) -> Verdict:
        """What `check` would say, without asking anybody or saving anything: for scorers that look before choosing.

        In mode "ask" the approval of a destructive call stays "needed".
        """
        try:
            args = registry.parse_args(call.tool, call.args)
        except InputError as error:
            return Verdict(allow=False, rule="schema", reason=str(error))
        verdict = self._classified(call, study(args, Facts(self._kind, self._precious)))
        if not verdict.allow or not verdict.destructive or (self._approve == "ask" and self._ask is not None):
            return verdict
        return self._approval(call, verdict)

    def classify(self, call: ToolCall) -> Decision:
        """What the classifier alone says of a call; without a classifier everything is allowed.

        Raises:
            InputError: the args do not fit the tool.
        """
        args = registry.parse_args(call.tool, call.args)
        return self._decide(call, study(args, Facts(self._kind, self._precious)))

    def execute(self, call: ToolCall) -> Observation:
        """Run a call if the gate allows it; the verdict of a directly preceding `check` holds.

        Raises:
            SandboxError: the sandbox or the workspace is broken.
        """
        begun = time.monotonic()
        decided, self._decided = self._decided, None
        if decided is None or call.tool not in registry.TOOLS or decided[0] != registry.call_json(call):
            verdict, self._decided = self.check(call), None
        else:
            verdict = decided[1]
        if not verdict.allow:
            return Observation(ok=False, denied=verdict.rule, stderr=verdict.reason)
        if not self.workspace.still_there():
            raise SandboxError("the workspace folder was replaced or removed")
        try:
            limited = call.model_copy(update={"policy": verdict.fill}) if verdict.fill else call
            observation = self._audited(limited) if verdict.state_changing else self._run(limited)
        except ToolFailure as failure:
            observation = Observation(ok=False, stderr=self._text(failure.reason, ERR_CAP), denied=failure.denied)
        spent = observation.duration_ms or (time.monotonic() - begun) * 1000
        return observation.model_copy(update={"duration_ms": round(spent, 2)})

    def verify(self, checks: Sequence[Check]) -> list[CheckResult]:
        """Evaluate checks inside the sandbox."""
        results = verify(self.sandbox, checks)
        return [result.model_copy(update={"detail": self._text(result.detail, 400)}) for result in results]

    def files(self) -> tuple[str, ...]:
        """Capped listing, sorted, folders end in '/'."""
        return listing(self.workspace)

    def snapshot(self) -> str:
        """Save the workspace; returns the snapshot id.

        Raises:
            ToolFailure: it cannot be saved (too large or too deep).
        """
        return self.snapshots.take()

    def rollback(self, snapshot: str) -> None:
        """Restore the workspace.

        Raises:
            InputError: there is no such snapshot.
        """
        self.snapshots.restore(snapshot)

    def close(self) -> None:
        """Release the workspace folder; the sandbox belongs to the caller."""
        self.workspace.close()

    # --- parts
    def _decide(self, call: ToolCall, findings: Findings) -> Decision:
        if self.policy is None or call.tool not in JUDGED:
            return Decision("allow", 0.0)
        plan = self._context.plan
        step = plan.steps[plan.index] if plan.index < len(plan.steps) else ""
        return self.policy.decide(Situation(call, self.goal, step, findings), registry.TOOLS[call.tool])

    def _classified(self, call: ToolCall, findings: Findings) -> Verdict:
        """The rules' verdict, made stricter (or given a time limit) by the classifier."""
        verdict = findings.verdict()
        if not verdict.allow:
            return verdict
        decision = self._decide(call, findings)
        if decision.action == "deny":
            return verdict.model_copy(
                update={"allow": False, "rule": "policy", "reason": decision.reason, "approval": "not_needed"}
            )
        if decision.timeout_s is not None:
            return verdict.model_copy(update={"fill": CallPolicy(timeout_s=decision.timeout_s)})
        return verdict

    def _approval(self, call: ToolCall, verdict: Verdict) -> Verdict:
        if not verdict.allow or not (verdict.destructive or verdict.approval == "needed"):
            return verdict
        if self._approve == "auto" or self._allow_destructive:
            return verdict.model_copy(update={"approval": "granted"})
        if self._approve == "ask" and self._ask is not None:
            if self._ask(call, verdict.model_copy(update={"approval": "needed"})):
                return verdict.model_copy(update={"approval": "granted"})
            why = "the person said no"
        else:
            why = "it needs approval and nobody is there to give it"
        reason = f"{verdict.reason or 'destructive'}: {why}; find a way that keeps what is there"
        return verdict.model_copy(update={"allow": False, "approval": "refused", "reason": reason})

    def _run(self, call: ToolCall, *, writable: bool = False) -> Observation:
        tool = registry.TOOLS[call.tool]
        args = registry.parse_args(call.tool, call.args)
        policy = tool.policy if call.policy == CallPolicy() else call.policy
        self._context.writable = writable
        observation = tool.run(self._context, args, policy)
        exact = call.tool == "fs"
        return observation.model_copy(
            update={
                "stdout": self._text(observation.stdout, OUT_CAP, exact=exact),
                "stderr": self._text(observation.stderr, ERR_CAP),
            }
        )

    def _audited(self, call: ToolCall) -> Observation:
        """Snapshot, run, compare; the audit is written whatever the call did."""
        snapshot = self.snapshot()
        before = self.snapshots.tree(snapshot)
        if self._first is None:
            first = self.snapshots.first()
            self._first = self.snapshots.tree(first) if first else before
        self._acted += 1
        fresh = self._acting.with_name(self._acting.name + ".new")
        fresh.write_text(json.dumps({"number": self._acted, "snapshot": snapshot}))
        fresh.rename(self._acting)
        try:
            observation = self._run(call, writable=True)
        except ToolFailure as failure:
            observation = Observation(ok=False, stderr=self._text(failure.reason, ERR_CAP), denied=failure.denied)
        after = self.snapshots.observe()
        found = changes(before, after)
        if found:
            text = redact(registry.call_json(call))
            number = self._audit.add(text, snapshot, observation.ok, found)
            self._revert.note(number, text, found)
            self._revert.write(self._first, after)
        paths = shown_paths(found)
        kept = tuple(path for path in paths if self._is_file(path))
        return observation.model_copy(update={"changed": paths, "artifacts": kept})

    def _kind(self, path: str) -> str | None:
        try:
            found = self.workspace.lstat(path)
        except ToolFailure:
            return None
        return None if found is None else kind_of(found.st_mode)

    def _precious(self, path: str) -> bool:
        """A file with something in it that the episode did not make itself."""
        try:
            path = self.workspace.relative(path)
            found = self.workspace.stat(path)
        except ToolFailure:
            return False
        if found is None or kind_of(found.st_mode) != "file" or found.st_size == 0:
            return False
        return self._first is None or path in self._first

    def _is_file(self, path: str) -> bool:
        return self._kind(path) == "file"

    def _text(self, text: str, cap: int, *, exact: bool = False) -> str:
        """Valid, redacted and capped text without host paths; `exact` keeps mentions of /workspace."""
        text = os.fsencode(text).decode("utf-8", "backslashreplace")
        for host in self._host:
            text = text.replace(host + "/", "").replace(host, ".")
        if not exact:
            text = text.replace(INSIDE + "/", "")
        text = redact(text)
        if len(text) > cap:
            head, tail = cap * 3 // 4, cap // 4
            text = f"{text[:head]}\n[... {len(text) - head - tail} characters cut]\n{text[-tail:]}"
        return text
