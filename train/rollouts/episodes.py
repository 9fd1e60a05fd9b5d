"""Whole episodes of the agent on tasks: stored as traces, judged, and made once more to see whether they are stable."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.assemble.agent import SESSION, AgentOptions, assemble_agent
from hybrid_agent.assemble.hybrid import Hybrid
from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.config.rollouts import RolloutsConfig
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.errors import InfraError
from hybrid_agent.packs.store import prepare_workspace
from hybrid_agent.protocols import Decoder
from hybrid_agent.traces.contexts import Label
from hybrid_agent.traces.episodes import EpisodeEntry
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.traces.store import TraceWriter
from hybrid_agent.types import Budget, Step, Task, Window
from train.rollouts.scrub import scrub

HARMLESS = ("schema", "snapshot")  # refusals that say nothing about intent


@dataclass(frozen=True)
class Ended:
    """How one episode went, before it is stored."""

    label: Label
    detail: str
    status: str
    verified: bool
    turns: int
    tokens: int
    denied: int
    invalid: int
    steps: tuple[Step, ...]


def task_episodes(task: Task, decoder: Decoder, settings: RolloutsConfig, traces: Path) -> Iterator[EpisodeEntry]:
    """A greedy episode and one for each temperature; their traces go into a folder.

    Raises:
        SandboxError: no jail can be made.
    """
    ways = ([("greedy", 0.0)] if settings.greedy else []) + [(f"t{t:g}", t) for t in settings.temperatures]
    seen: set[str] = set()
    for at, (how, temperature) in enumerate(ways):
        digest = hashlib.sha256(f"{settings.seed}:{task.id}:{at}".encode()).digest()
        seed = int.from_bytes(digest[:4])
        trace = traces / f"{task.id}.{how}.jsonl"
        ended = _once(task, decoder, temperature, seed, trace)
        calls = [step.content for step in ended.steps]
        if "\n".join(calls) in seen:
            trace.unlink(missing_ok=True)
            continue  # a sampled episode that repeats another tells nothing new
        seen.add("\n".join(calls))
        label, detail = ended.label, ended.detail
        if label != "infra_failure":
            again = _once(task, ScriptedDecoder(calls), 0.0, seed, None)
            if again.label == "infra_failure":
                label, detail = "infra_failure", f"when made again: {again.detail}"
            elif (again.label, again.status) != (ended.label, ended.status):
                label = "flaky"
                detail = f"{ended.label}/{ended.status}, then {again.label}/{again.status}"
        yield EpisodeEntry(
            trace=f"traces/{trace.name}",
            task_id=task.id,
            pack=task.pack,
            split=task.split,
            intents=task.intents,
            group=task.id,
            how=how,
            temperature=temperature,
            seed=seed,
            label=label,
            status=ended.status,
            verified=ended.verified,
            turns=ended.turns,
            tokens=ended.tokens,
            denied=ended.denied,
            invalid=ended.invalid,
            detail=scrub(detail)[:300],
        )


def _once(task: Task, decoder: Decoder, temperature: float, seed: int, trace: Path | None) -> Ended:
    """One episode on a fresh workspace, judged."""
    steps: list[Step] = []

    def keep(window: Window, step: Step) -> None:
        steps.append(step)

    with tempfile.TemporaryDirectory(prefix="episode-", ignore_cleanup_errors=True) as base:
        run = RunDir(Path(base) / "run")
        run.state.mkdir(parents=True)
        workspace = Path(base) / "workspace"
        workspace.mkdir()
        options = AgentOptions(
            approve="auto" if task.destructive else "deny",
            max_steps=task.max_steps,
            seed=seed,
            task_id=task.id,
            env={"sandbox": SESSION},
            provenance={"split": task.split, "pack": task.pack},
        )
        hybrid = Hybrid(decoder, budget=Budget(temperature=temperature))
        try:
            with assemble_agent(run, hybrid=hybrid, workspace=workspace, sandbox=SESSION, options=options) as agent:
                prepare_workspace(task.setup, agent.sandbox)
                result = agent.run(task.goal, on_step=keep)
                broken = [] if result.infra else [r.detail for r in agent.judge(task.checks) if not r.ok]
        except InfraError as error:
            return Ended("infra_failure", str(error), "failed", False, len(steps), 0, 0, 0, tuple(steps))
        label, detail = _label(steps, result.infra, result.summary, broken)
        if trace is not None and run.trace.is_file():
            _store(run.trace, trace)
        return Ended(
            label, detail, result.status, result.verified, result.turns, result.tokens, result.denied, result.invalid,
            tuple(steps),
        )  # fmt: skip


def _label(steps: list[Step], infra: bool, summary: str, broken: list[str]) -> tuple[Label, str]:
    if infra:
        return "infra_failure", summary
    refused = [s.verdict.rule for s in steps if s.verdict and not s.verdict.allow and s.verdict.rule not in HARMLESS]
    if refused:
        return "policy_violation", f"denied: {refused[0]}"
    if broken:
        return "plausible_fail", broken[0]
    return "pass", "all checks of the judge hold"


def _store(source: Path, target: Path) -> None:
    """Write the trace anew without personal data and without paths of this machine."""
    episode = read_trace(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".part")
    fresh.unlink(missing_ok=True)
    with TraceWriter(fresh, redact=scrub) as writer:
        writer.start(
            episode.goal,
            run_id=target.name.removesuffix(".jsonl"),
            task_id=episode.task_id,
            seed=episode.seed,
            env=episode.env,
            provenance=episode.provenance,
        )
        for step in episode.steps:
            writer.step(step)
        writer.end(episode.result or "fail", episode.summary, episode.tests, episode.code_artifacts)
    fresh.replace(target)
