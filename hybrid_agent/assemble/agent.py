"""Config to parts: the only place that knows every part of an agent.

run = create_run(runs_root(), goal=..., workspace=None, ...)
with assemble_agent(run, decoder=make_decoder(spec)) as agent:
    result = agent.run(goal, on_step=show)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from hybrid_agent.agent.loop import Episode
from hybrid_agent.agent.options import EpisodeResult, LoopOptions
from hybrid_agent.assemble.recorder import code_artifacts, count_checks, outcome
from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.protocols import Decoder, Planner, Sandbox, Scorer
from hybrid_agent.tools.sandbox import make_sandbox
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.traces.store import TraceWriter
from hybrid_agent.types import Budget, Check, CheckResult, Step, ToolCall, Verdict, Window

ApprovalMode = Literal["ask", "auto", "deny"]
OnStep = Callable[[Window, Step], None]


@dataclass(frozen=True)
class AgentOptions:
    """What may differ between episodes.

    `allow_destructive=False` refuses destructive calls whatever the approval mode says.
    """

    approve: ApprovalMode = "deny"
    max_steps: int = 40
    attempts: int = 1
    seed: int = 0
    samples: int = 1
    temperature: float = 0.0
    task_id: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)


class Agent(AbstractContextManager["Agent"]):
    """A decoder with a toolbox on one workspace; closes the sandbox on exit."""

    def __init__(
        self,
        run: RunDir,
        decoder: Decoder,
        sandbox: Sandbox,
        toolbox: LocalToolbox,
        options: AgentOptions,
        scorer: Scorer | None = None,
        planner: Planner | None = None,
    ) -> None:
        self.dir, self.decoder, self.sandbox, self.toolbox, self.options = run, decoder, sandbox, toolbox, options
        self.scorer, self.planner = scorer, planner
        self._stack = ExitStack()
        self._stack.callback(sandbox.close)

    def run(self, goal: str, on_step: OnStep | None = None) -> EpisodeResult:
        """One episode, stored in the run's trace as it happens.

        Raises:
            InfraError: a part outside the sandbox failed (for example the model server is away).
            KeyboardInterrupt: the person stopped it; the trace is ended properly first.
        """
        options = self.options
        budget = Budget(k=options.samples, temperature=options.temperature, seed=options.seed)
        steps: list[Step] = []
        with TraceWriter(self.dir.trace, listener=steps.append) as writer:
            writer.start(
                goal,
                run_id=self.dir.run_id,
                task_id=options.task_id,
                seed=options.seed,
                workspace=str(self.sandbox.workspace),
                env=options.env,
                provenance=options.provenance,
            )
            result = Episode(
                goal,
                decoder=self.decoder,
                toolbox=self.toolbox,
                recorder=writer,
                scorer=self.scorer,
                planner=self.planner,
                options=LoopOptions(max_steps=options.max_steps, attempts=options.attempts, budget=budget),
                on_step=on_step,
            ).run()
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
        return None


def assemble_agent(
    run: RunDir,
    *,
    decoder: Decoder,
    workspace: Path,
    sandbox: str = "bubblewrap",
    options: AgentOptions | None = None,
    approver: Callable[[ToolCall, Verdict], bool] | None = None,
    answerer: Callable[[str], str | None] | None = None,
    **parts: Any,
) -> Agent:
    """Build sandbox and toolbox around a decoder for one run directory.

    Raises:
        SandboxError: the sandbox cannot be made here; names the fix.
    """
    chosen = options or AgentOptions()
    box = make_sandbox(sandbox, workspace)
    toolbox = LocalToolbox(workspace, run.state, box)
    return Agent(run, decoder, box, toolbox, chosen, **parts)
