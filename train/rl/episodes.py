"""Groups of whole episodes: the policy does a task several times, the judge looks at the workspace it leaves."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.assemble.agent import SESSION, AgentOptions, assemble_agent
from hybrid_agent.assemble.hybrid import Hybrid
from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.config.stages.rl import RlConfig
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.errors import InfraError, SandboxError
from hybrid_agent.packs.store import prepare_workspace
from hybrid_agent.protocols import Decoder, Sandbox, Scorer
from hybrid_agent.traces.contexts import Label
from hybrid_agent.types import Step, Task, Window
from train.rl.audit import changed, gold_changes, stray
from train.rl.policy import Policy, RecordingDecoder
from train.rl.records import Group, Piece, Rollout
from train.rollouts.bench import on_bench
from train.rollouts.episodes import HARMLESS
from train.rollouts.scrub import scrub


@dataclass(frozen=True)
class Ended:
    """How an episode went. `own`: it ended as the agent itself takes for success (or asks, where that is right)."""

    label: Label
    own: bool
    held_out: bool
    detail: str
    calls: tuple[str, ...] = ()


def episode_group(
    task: Task, sandbox: Sandbox, policy: Policy, scorer: Scorer | None, stage: RlConfig, level: int, seed: int
) -> Group:
    """`stage.group` sampled episodes and a greedy one.

    Raises:
        train.gold.GoldError: the gold solution is wrong.
        SandboxError: no jail can be made.
    """
    with on_bench(task, sandbox) as bench:
        allowed = gold_changes(bench, bench.turns)
    digest = hashlib.sha256(f"{seed}:{task.id}:{task.template}".encode()).digest()
    first = int.from_bytes(digest[:4])
    greedy = _once(task, RecordingDecoder(policy, 0, temperature=0), allowed)
    windows: list[Window] = []
    rollouts = []
    for at in range(stage.group):
        decoder = RecordingDecoder(policy, first + at * 1_000_003)
        ended = _once(task, decoder, allowed)
        if ended.label != "infra_failure" and stage.executions > 1:
            ended = _again(task, ended, allowed)
        energy = _energy(decoder, policy, scorer)
        pieces = []
        for window, draft in decoder.written:
            pieces.append(
                Piece(window=len(windows), tokens=tuple(draft.tokens), logprob=draft.logprob, complete=draft.complete)
            )
            windows.append(window)
        cost = float(sum(len(draft.tokens) - draft.forced for _, draft in decoder.written))
        rollouts.append(
            Rollout(
                pieces=tuple(pieces),
                label=ended.label,
                own=ended.own,
                held_out=ended.held_out,
                cost=cost,
                energy=energy,
                detail=scrub(ended.detail)[:200],
            )
        )
    return Group(
        id=task.id,
        task_id=task.id,
        pack=task.pack,
        level=level,
        intents=task.intents,
        unit="episode",
        kind="episode",
        windows=tuple(windows),
        rollouts=tuple(rollouts),
        greedy=None if greedy.label == "infra_failure" else greedy.label == "pass" and greedy.held_out,
    )


def _again(task: Task, ended: Ended, allowed: set[str]) -> Ended:
    """The same calls on a fresh workspace: an episode that ends differently then was decided by chance."""
    again = _once(task, ScriptedDecoder(ended.calls), allowed)
    if again.label == "infra_failure" or (again.label, again.held_out) == (ended.label, ended.held_out):
        return ended
    return Ended("flaky", ended.own, ended.held_out, f"{ended.label}, then {again.label}", ended.calls)


def _once(task: Task, decoder: Decoder, allowed: set[str]) -> Ended:
    steps: list[Step] = []

    def keep(window: Window, step: Step) -> None:
        steps.append(step)

    with tempfile.TemporaryDirectory(prefix="rl-", ignore_cleanup_errors=True) as base:
        run = RunDir(Path(base) / "run")
        run.state.mkdir(parents=True)
        workspace = Path(base) / "workspace"
        workspace.mkdir()
        options = AgentOptions(approve="auto" if task.destructive else "deny", max_steps=task.max_steps)
        try:
            with assemble_agent(
                run, hybrid=Hybrid(decoder), workspace=workspace, sandbox=SESSION, options=options
            ) as agent:
                prepare_workspace(task.setup, agent.sandbox)
                snapshots = agent.toolbox.snapshots
                before = snapshots.tree(agent.toolbox.snapshot())
                result = agent.run(task.goal, on_step=keep)
                if result.infra:
                    return Ended("infra_failure", False, False, result.summary)
                touched = changed(before, snapshots.tree(agent.toolbox.snapshot()))
                broken = [found.detail for found in agent.judge(task.checks) if not found.ok]
        except (InfraError, SandboxError) as error:
            return Ended("infra_failure", False, False, str(error))
    calls = tuple(step.content for step in steps)
    said = [call for call in task.gold if call.tool == "finish"][-1].args["status"]
    own = result.verified if said == "done" else result.status == said
    beyond = stray(touched, allowed)
    label, detail = _label(steps, broken)
    if beyond and not broken:
        detail = f"touches {sorted(beyond)[0]}"
    return Ended(label, own, not broken and not beyond, detail, calls)


def _label(steps: Sequence[Step], broken: Sequence[str]) -> tuple[Label, str]:
    refused = [s.verdict.rule for s in steps if s.verdict and not s.verdict.allow and s.verdict.rule not in HARMLESS]
    if refused:
        return "policy_violation", f"denied: {refused[0]}"
    return ("plausible_fail", broken[0]) if broken else ("pass", "all checks of the judge hold")


def _energy(decoder: RecordingDecoder, policy: Policy, scorer: Scorer | None) -> float | None:
    """Mean energy of an episode's calls."""
    if scorer is None or not decoder.written:
        return None
    if hasattr(scorer, "judge"):
        scorer.judge = None
    found = [scorer.score(window, [policy.segment(draft)])[0].energy for window, draft in decoder.written]
    return sum(found) / len(found)
