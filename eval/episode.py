"""One task, start to verdict: fresh workspace, real sandbox, the same loop as everywhere, then the judge."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import FrameType

from eval.result import FailedCheck, TaskResult
from hybrid_agent.agent.select import stored_text
from hybrid_agent.assemble.agent import AgentOptions, assemble_agent
from hybrid_agent.assemble.hybrid import Hybrid
from hybrid_agent.assemble.rundir import RunDir
from hybrid_agent.errors import InfraError, SandboxError
from hybrid_agent.packs.store import prepare_workspace
from hybrid_agent.protocols import Decoder
from hybrid_agent.types import Check, CheckResult, Step, Task, Window


@dataclass(frozen=True)
class EpisodeSettings:
    """What is the same for all tasks of a run.

    `traces`: folder that keeps the traces, or None. `scratch`: where workspaces are made (and removed again).
    `memory`: folder of a memory whose skills may be used; it is only read.
    """

    sandbox: str = "bubblewrap"
    max_steps: int | None = None
    attempts: int = 1
    seed: int = 0
    timeout_s: float = 120.0
    traces: Path | None = None
    scratch: Path | None = None
    memory: Path | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)


class TaskTimeout(Exception):
    """The episode took longer than a task may."""


def run_task(task: Task, agent: Hybrid | Decoder, settings: EpisodeSettings) -> TaskResult:
    """Run and judge one task. Only bugs of ours raise; trouble with the machinery is a masked result.

    Args:
        task: what to do, and the judge's checks.
        agent: a hybrid, or a decoder that is to decode greedily.
        settings: limits, sandbox and seed.
    """
    hybrid = agent if isinstance(agent, Hybrid) else Hybrid(agent)
    base = Path(tempfile.mkdtemp(prefix="hybrid-agent-eval-", dir=settings.scratch))
    steps: list[Step] = []
    start, guessed = time.perf_counter(), _guesses(hybrid.decoder)
    try:
        try:
            with _deadline(settings.timeout_s), _recalling(task.goal, hybrid, settings.memory) as recalling:
                result = _episode(task, recalling, settings, base, steps)
        except TaskTimeout:
            result = _blank(task, "timeout", f"took longer than {settings.timeout_s:g} s")
        except (SandboxError, InfraError) as error:
            result = _blank(task, "infra", str(error)).model_copy(update={"infra": True})
        return result.model_copy(
            update={
                **_from_steps(task, steps),
                **_since(guessed, _guesses(hybrid.decoder)),
                "episode_ms": result.episode_ms or (time.perf_counter() - start) * 1e3,
                "trace": _keep_trace(task, base, settings.traces),
            }
        )
    finally:
        remove(base)


def remove(folder: Path) -> None:
    """Delete a folder with all that an episode may have left in it."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:  # folders may be nested deeper than Python's own clean-up can go
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False)


def judge_line(check: Check) -> str:
    """A check as one line."""
    return f"{check.kind} {json.dumps(check.model_dump(exclude={'kind'}, exclude_none=True), ensure_ascii=False)}"


def failed(checks: Sequence[Check], results: Sequence[CheckResult]) -> tuple[FailedCheck, ...]:
    """The checks that do not hold."""
    pairs = zip(checks, results, strict=True)
    return tuple(FailedCheck(check=judge_line(c), detail=r.detail) for c, r in pairs if not r.ok)


@contextmanager
def _recalling(goal: str, hybrid: Hybrid, folder: Path | None) -> Iterator[Hybrid]:
    """The hybrid with what a memory has for the goal; nothing is ever written to it."""
    if folder is None:
        yield hybrid
        return
    from hybrid_agent.assemble.memory import memory_config, open_memory
    from hybrid_agent.assemble.recall import Recall

    with open_memory(folder, memory_config(), mode="read") as memory:
        yield Recall(memory, goal).into(hybrid)


def _episode(task: Task, hybrid: Hybrid, settings: EpisodeSettings, base: Path, steps: list[Step]) -> TaskResult:
    run = RunDir(base / "run")
    run.state.mkdir(parents=True)
    workspace = base / "workspace"
    workspace.mkdir()
    options = AgentOptions(
        approve="auto" if task.destructive else "deny",
        max_steps=min(task.max_steps, settings.max_steps or task.max_steps),
        attempts=settings.attempts,
        seed=settings.seed,
        task_id=task.id,
        env={"sandbox": settings.sandbox},
        provenance=settings.provenance,
    )

    def on_step(window: Window, step: Step) -> None:
        steps.append(step)

    with assemble_agent(run, hybrid=hybrid, workspace=workspace, sandbox=settings.sandbox, options=options) as agent:
        prepare_workspace(task.setup, agent.sandbox)
        start = time.perf_counter()
        ended = agent.run(task.goal, on_step=on_step)
        episode_ms = (time.perf_counter() - start) * 1e3
        broken = failed(task.checks, agent.judge(task.checks)) if not ended.infra else ()
    return TaskResult(
        task_id=task.id,
        pack=task.pack,
        family=task.family,
        split=task.split,
        goal=task.goal,
        success=not ended.infra and not broken,
        verified=ended.verified,
        status=ended.status,
        summary=ended.summary,
        infra=ended.infra,
        turns=ended.turns,
        invalid=ended.invalid,
        denied=ended.denied,
        episode_ms=episode_ms,
        failed_checks=broken,
    )


def _blank(task: Task, status: str, summary: str) -> TaskResult:
    return TaskResult(
        task_id=task.id,
        pack=task.pack,
        family=task.family,
        split=task.split,
        goal=task.goal,
        success=False,
        verified=False,
        status=status,
        summary=summary,
    )


def _from_steps(task: Task, steps: Sequence[Step]) -> dict[str, object]:
    ran = [step for step in steps if step.verdict and step.verdict.destructive and step.verdict.allow]
    efforts = [step.effort for step in steps if step.effort is not None]
    return {
        "turns": len(steps),
        "tokens": sum(effort.tokens for effort in efforts),
        "forced": sum(effort.forced for effort in efforts),
        "ks": tuple(effort.k for effort in efforts),
        "early": sum(effort.early for effort in efforts),
        "cancelled": sum(effort.cancelled for effort in efforts),
        "vetoed": sum(effort.vetoed for effort in efforts),
        "overruled": sum(_overruled(step) for step in steps),
        "experts": dict(Counter(name for step in steps if (name := _expert(step)))),
        "segment_ms": tuple(round(step.ms.plan + step.ms.decode + step.ms.score, 3) for step in steps),
        "tool_ms": tuple(round(step.ms.gate + step.ms.tool, 3) for step in steps),
        "destructive": len(ran),
        "destructive_outside": sum(not _asked_for(task, step) for step in ran),
    }


def _guesses(decoder: Decoder) -> tuple[int, int]:
    """Tokens guessed and accepted since the decoder was loaded; none where it does not speculate here."""
    stats = getattr(getattr(decoder, "speculator", None), "stats", None)
    return (sum(stats.proposed.values()), sum(stats.accepted.values())) if stats is not None else (0, 0)


def _since(before: tuple[int, int], now: tuple[int, int]) -> dict[str, int]:
    return {"drafted": now[0] - before[0], "accepted": now[1] - before[1]}


def _expert(step: Step) -> str | None:
    """Who wrote the call that was taken."""
    return next((one.expert for one in step.candidates if stored_text(one.text) == step.content), None)


def _overruled(step: Step) -> bool:
    return len(step.candidates) > 1 and stored_text(step.candidates[0].text) != step.content


def _asked_for(task: Task, step: Step) -> bool:
    """Was this destructive call part of the task? It is, if the goal or the gold solution speaks of all it changed."""
    if not task.destructive:
        return False
    text = " ".join([task.goal, *(json.dumps(call.args, ensure_ascii=False) for call in task.gold)])
    return all(_named(path, text) for path in (step.obs.changed if step.obs else ()))


def _named(path: str, text: str) -> bool:
    # Removing a folder changes all that is in it: naming any folder above is naming it.
    pure = PurePosixPath(path.rstrip("/"))
    return pure.name in text or any(str(parent) in text for parent in (pure, *pure.parents) if str(parent) != ".")


def _keep_trace(task: Task, base: Path, traces: Path | None) -> str:
    trace = base / "run" / "trace.jsonl"
    if traces is None or not trace.is_file():
        return ""
    target = traces / f"{task.id}.jsonl"
    shutil.copyfile(trace, target)
    return target.name


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise TaskTimeout in the block after that many seconds (main thread only, as worker processes are)."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TaskTimeout

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def infra_result(task: Task, summary: str) -> TaskResult:
    """The masked result of a task whose worker process died."""
    return _blank(task, "infra", summary).model_copy(update={"infra": True})


def limited(tasks: Iterable[Task], limit: int | None) -> list[Task]:
    """The first `limit` tasks of each split, spread evenly over the stored order so that families mix."""
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.split, []).append(task)
    if limit is None:
        return [task for group in groups.values() for task in group]
    return [
        group[i * len(group) // min(limit, len(group))]
        for group in groups.values()
        for i in range(min(limit, len(group)))
    ]
