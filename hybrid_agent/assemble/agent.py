"""Config to parts: the only place that knows every part of an agent.

run = create_run(runs_root(), goal=..., workspace=None, ...)
with assemble_agent(run, hybrid=make_hybrid(spec), workspace=folder) as agent:
    result = agent.run(goal, on_step=show)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol

from hybrid_agent.agent.loop import Episode
from hybrid_agent.agent.options import EpisodeResult, LoopOptions
from hybrid_agent.agent.select import Selection
from hybrid_agent.assemble.hybrid import Hybrid, look_ahead
from hybrid_agent.assemble.recorder import code_artifacts, count_checks, outcome
from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.checks import verify_ro_binds
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.redact import redact
from hybrid_agent.tools.sandbox import make_sandbox
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.traces.store import TraceWriter
from hybrid_agent.types import Check, CheckResult, Control, Step, ToolCall, Verdict, Window

ApprovalMode = Literal["ask", "auto", "deny"]
SESSION = "session"
OnStep = Callable[[Window, Step], None]
OnChoice = Callable[[int, Control, Selection], None]


@dataclass(frozen=True)
class AgentOptions:
    """What may differ between episodes."""

    approve: ApprovalMode = "deny"
    max_steps: int = 40
    attempts: int = 1
    seed: int = 0
    task_id: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)


class Prompts(Protocol):
    """A person who can be asked."""

    def approve(self, call: ToolCall, verdict: Verdict) -> bool:
        """May this destructive call run?"""
        ...

    def ask(self, question: str) -> str | None:
        """The answer to a question of the agent, or None."""
        ...


class Agent(AbstractContextManager["Agent"]):
    """A hybrid with a toolbox on one workspace; closes the sandbox on exit."""

    def __init__(
        self, run: RunDir, hybrid: Hybrid, sandbox: Sandbox, toolbox: LocalToolbox, options: AgentOptions
    ) -> None:
        self.dir, self.hybrid, self.sandbox, self.toolbox, self.options = run, hybrid, sandbox, toolbox, options
        self._stack = ExitStack()
        self._stack.callback(sandbox.close)
        self._stack.callback(toolbox.close)

    def run(
        self,
        goal: str,
        on_step: OnStep | None = None,
        on_choice: OnChoice | None = None,
        done: Sequence[Step] | None = None,
    ) -> EpisodeResult:
        """One episode, stored in the run's trace as it happens.

        Args:
            goal: what to do.
            on_step: told of each turn once it is stored.
            on_choice: told of each turn's number, control and candidates, before the chosen one acts.
            done: what the run's trace, which has no end, holds already: go on after it
                (see `hybrid_agent.assemble.pick_up`). None: begin.

        Raises:
            InfraError: a part outside the sandbox failed (for example the model server is away).
            InputError: `done` cannot be followed.
            KeyboardInterrupt: the person stopped it; the trace is ended properly first.
            Suspended: a hook raised it; the trace stays open.
        """
        options, hybrid = self.options, self.hybrid
        self.toolbox.goal = goal
        limits = LoopOptions(
            max_steps=options.max_steps,
            attempts=options.attempts,
            budget=hybrid.budget.model_copy(update={"seed": options.seed}),
            select=hybrid.select,
        )
        steps: list[Step] = list(done or ())
        with TraceWriter(self.dir.trace, redact=redact, listener=steps.append) as writer:
            if done is None:
                writer.start(
                    goal,
                    run_id=self.dir.run_id,
                    task_id=options.task_id,
                    seed=options.seed,
                    workspace=str(self.sandbox.workspace),
                    env=options.env,
                    provenance=options.provenance,
                )
            else:
                writer.resume()
                self.toolbox.resume(done)
            result = Episode(
                goal,
                decoder=hybrid.decoder,
                toolbox=self.toolbox,
                recorder=writer,
                scorer=hybrid.scorer,
                planner=hybrid.planner,
                scheduler=hybrid.scheduler,
                options=limits,
                on_step=on_step,
                on_choice=on_choice,
                changes=look_ahead(hybrid, self.toolbox),
            ).run(done or ())
            changed = [path for step in steps if step.obs for path in step.obs.changed]
            artifacts = code_artifacts(changed, self._read)
            writer.end(outcome(result), result.summary, count_checks(steps), artifacts)
        return result

    def judge(self, checks: Sequence[Check]) -> Sequence[CheckResult]:
        """Evaluate a judge's checks in the sandbox, after the episode."""
        return self.toolbox.verify(checks)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _read(self, path: str) -> bytes | None:
        try:
            return self.toolbox.workspace.read(path)
        except ToolFailure:
            return None  # gone again, a folder, or too large


def build_sandbox(name: str, workspace: Path) -> Sandbox:
    """The sandbox of that name, with what checks need inside.

    Raises:
        InputError: bubblewrap is missing, or there is no such backend.
        SandboxError: the machine does not let us build a jail.
    """
    if name == "none":
        return make_sandbox(name, workspace)
    session = name == SESSION
    return make_sandbox("bubblewrap" if session else name, workspace, ro_binds=verify_ro_binds(), session=session)


def assemble_agent(
    run: RunDir,
    *,
    hybrid: Hybrid,
    workspace: Path,
    sandbox: str = "bubblewrap",
    options: AgentOptions | None = None,
    prompts: Prompts | None = None,
) -> Agent:
    """Build sandbox and toolbox around a hybrid for one run directory.

    Args:
        run: where trace, snapshots and audit go.
        hybrid: proposes the calls (a decoder alone: `Hybrid(decoder)`).
        workspace: an existing folder, outside the run's state.
        sandbox: "bubblewrap", "docker", "session" (one standing jail, for trusted calls) or "none".
        options: limits, approval and seed.
        prompts: the person to ask; None when nobody is there.

    Raises:
        InputError: bubblewrap is missing, or there is no such backend.
        SandboxError: the machine does not let us build a jail.
    """
    chosen = options or AgentOptions()
    box = build_sandbox(sandbox, workspace)
    try:
        toolbox = LocalToolbox(
            workspace,
            run.state,
            box,
            approve=chosen.approve,
            ask=prompts.approve if prompts else None,
            answer=prompts.ask if prompts else None,
            policy=hybrid.gate,
        )
    except BaseException:
        box.close()
        raise
    return Agent(run, hybrid, box, toolbox, chosen)
