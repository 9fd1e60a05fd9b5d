"""Evaluate the agent on held-out tasks: python -m eval.run suite=os split=test_paraphrase limit=20 workers=2 --json"""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from eval.attempt import Attempt, identity_hash, open_attempt, source_hash
from eval.metrics import grouped, summarize
from eval.result import TaskResult
from hybrid_agent.cli.exits import STOPPED, program
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.explain import nearest
from hybrid_agent.config.load import load_config
from hybrid_agent.errors import InputError
from hybrid_agent.types import Task

if TYPE_CHECKING:
    from hybrid_agent.assemble.parts import HybridSpec


@dataclass(frozen=True)
class Outcome:
    """One finished (or stopped) evaluation."""

    config: EvalConfig
    attempt: Attempt
    results: list[TaskResult]
    wanted: int
    seconds: float

    @property
    def complete(self) -> bool:
        """False if it was stopped before its end."""
        return len(self.results) == self.wanted

    def as_json(self) -> dict[str, Any]:
        """The one object that `--json` prints."""
        body = summarize(self.results).as_json()
        by_family = grouped(self.results, lambda r: r.family)
        return {
            "success": body["success"]["rate"],
            "suite": self.config.suite.name,
            "n": body["success"]["n"],
            "complete": self.complete,
            "summary": body,
            "splits": {k: summarize(v).as_json() for k, v in grouped(self.results, lambda r: r.split).items()},
            "families": {k: summarize(v).success.as_json() for k, v in by_family.items()},
            "seconds": self.seconds,
            "decoder": self.config.decoder,
            "hybrid": self.attempt.identity["hybrid"],
            "report": str(self.attempt.path / "report.html"),
        }


def evaluate(config: EvalConfig, console: Console) -> Outcome:
    """Run what is not done yet, show a progress bar, write results, report and manifest.

    Ctrl-C stops the workers and keeps what is finished.
    """
    from eval.episode import EpisodeSettings
    from eval.pool import run_tasks
    from eval.report import write_report
    from eval.watch import log_progress, tell, watching

    tasks, agent = select_tasks(config), agent_of(config)
    identity = {**identity_of(config), "source": source_hash()}
    root = Path(config.out)
    attempt = open_attempt(root, config.suite.name, identity, [task.id for task in tasks], config.resume)
    if attempt.taken_from is not None:
        console.print(
            f"{len(attempt.done)} of {len(tasks)} tasks were done before ({attempt.taken_from}); "
            "resume=false runs them again"
        )
    left = [task for task in tasks if task.id not in attempt.done]
    settings = EpisodeSettings(
        sandbox=config.sandbox,
        max_steps=config.max_steps,
        attempts=config.attempts,
        seed=config.seed,
        timeout_s=config.task_timeout_s,
        traces=attempt.traces,
        memory=Path(config.memory).absolute() if config.memory else None,
        provenance={key: str(identity[key]) for key in ("decoder", "model", "hybrid", "tasks", "source")},
    )
    start = time.perf_counter()
    hits = sum(result.success for result in attempt.done.values())
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("success {task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    running = run_tasks(left, agent, settings, config.workers, config.fanout, bar.console.print)
    with watching(config, config.tracking, attempt.path, console) as tracker:
        try:
            with bar, closing(running) as results:
                shown = bar.add_task(
                    f"{config.suite.name} {config.split}", total=len(tasks), completed=len(attempt.done), rate="-"
                )
                for result in results:
                    attempt.add(result)
                    hits += result.success
                    bar.update(shown, advance=1, rate=f"{100 * hits / len(attempt.done):.1f} %")
                    log_progress(tracker, attempt.done.values(), len(tasks))
        except KeyboardInterrupt:
            console.print("stopped; what is finished is kept, the same command goes on from there")
        ordered = [attempt.done[task.id] for task in tasks if task.id in attempt.done]
        outcome = Outcome(config, attempt, ordered, len(tasks), time.perf_counter() - start)
        tell(tracker, ordered, attempt.traces)
        title = f"{config.suite.name}: {config.decoder}, {agent}"
        write_report(attempt.path / "report.html", outcome.results, title=title)
        if outcome.complete:
            tracker.summary(outcome.as_json())
            _write_manifest(outcome)
    return outcome


def agent_of(config: EvalConfig) -> str | HybridSpec:
    """The hybrid that is evaluated (or `gold`): decided and checked, not loaded.

    Raises:
        InputError: a part that is asked for is not there.
    """
    from eval.pool import GOLD
    from hybrid_agent.assemble.decoders import parse_decoder
    from hybrid_agent.assemble.parts import find_parts

    if config.decoder == GOLD:
        return GOLD
    return find_parts(parse_decoder(config.decoder), config.hybrid, config.overrides(), Path(config.runs))


def select_tasks(config: EvalConfig) -> list[Task]:
    """The tasks the config asks for.

    Raises:
        InputError: no such family, or nothing left to run.
    """
    from eval.episode import limited
    from hybrid_agent.packs.store import load_tasks

    splits = config.suite.splits if config.split == "test" else (config.split,)
    if splits == ("train",):
        raise InputError("training tasks are not stored", where="split=train", fix="use val or a test split")
    tasks = [task for split in splits for task in load_tasks(config.suite.pack, split)]
    if config.family is not None:
        families = {task.family for task in tasks}
        if config.family not in families:
            close = nearest(config.family, families)
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(sorted(families))
            raise InputError(f"no family {config.family!r} in these splits", where="family", fix=fix)
        tasks = [task for task in tasks if task.family == config.family]
    if not tasks:
        raise InputError("no tasks", where=f"suite={config.suite.name}", fix="run: python -m task_packs.generate")
    return limited(tasks, config.limit)


def identity_of(config: EvalConfig) -> dict[str, Any]:
    """Everything but the source that decides a task's result: model, parts, tasks and the settings of an episode."""
    from hybrid_agent.assemble.decoders import decoder_hash
    from hybrid_agent.packs.store import pack_hash

    agent = agent_of(config)
    if isinstance(agent, str):
        name = model = agent
        hybrid: dict[str, Any] = {}
    else:
        name, model, hybrid = str(agent.decoder), decoder_hash(agent.decoder), agent.identity()
    chosen = config.model_dump(include={"sandbox", "seed", "max_steps", "attempts", "task_timeout_s"})
    if config.memory:
        chosen["memory"] = memory_hash(Path(config.memory))
    return {**chosen, "decoder": name, "model": model, "hybrid": hybrid, "tasks": pack_hash(config.suite.pack)}


def memory_hash(folder: Path) -> str:
    """What identifies a memory.

    Raises:
        InputError: there is none in that folder.
    """
    from hybrid_agent.memory.db import FILE
    from hybrid_agent.runs.atomic import file_hash

    if not (folder / FILE).is_file():
        raise InputError("there is no memory", where=str(folder), field="memory", fix="name the folder of one")
    return file_hash(folder / FILE)


def _write_manifest(outcome: Outcome) -> None:
    from eval.manifest import seal
    from hybrid_agent.runs.tracking.files import written

    seal(
        outcome.attempt.path,
        "eval.run",
        outcome.config,
        ["results.jsonl", "identity.json", "report.html", *written(outcome.attempt.path)],
        seed=outcome.config.seed,
        parents={"model": str(outcome.attempt.identity["model"])},
        data_hash=str(outcome.attempt.identity["tasks"]),
        metrics={**outcome.as_json(), "identity": identity_hash(outcome.attempt.identity)},
        versions=["torch", "transformers", "llguidance", "pydantic"],
    )


def command(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="As in configs/eval.yaml: suite=os limit=20.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Evaluate the agent on held-out tasks."""
    from eval.table import print_tables

    config = load_config("eval", overrides or [], EvalConfig)
    console = Console(stderr=as_json, highlight=False)
    outcome = evaluate(config, console)
    print_tables(console, outcome.results)
    console.print(f"hybrid: {agent_of(config)}")
    console.print(f"report: {outcome.attempt.path / 'report.html'}", soft_wrap=True)
    if as_json:
        print(json.dumps(outcome.as_json()))
    if not outcome.complete:
        raise typer.Exit(STOPPED)


if __name__ == "__main__":
    program(command)
