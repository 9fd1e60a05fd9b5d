"""Tune the compute scheduler: python -m eval.schedule contexts=runs/rollouts/val scorer=ebm/tiny"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hybrid_agent.cli.exits import program
from hybrid_agent.config.load import load_config
from hybrid_agent.config.schedule import ScheduleConfig
from hybrid_agent.errors import InputError

if TYPE_CHECKING:
    from eval.replay import Turn
    from eval.tune import Tuned
    from hybrid_agent.protocols import Planner, Scorer
    from hybrid_agent.traces.contexts import Context
    from hybrid_agent.types import Control, Task, ToolCall, Verdict

STAGE = "schedule"
REPORT, PLOT = "report.json", "schedule.png"


def contexts_at(path: Path) -> list[Context]:
    """All contexts of a file, or of the files in a folder.

    Raises:
        InputError: there are none.
    """
    from hybrid_agent.traces.contexts import read_contexts

    files = sorted(path.glob("*.jsonl*")) if path.is_dir() else [path]
    found = [context for file in files for context in read_contexts(file)]
    if not found:
        fix = "make some: hybrid-agent traces build split=val out=..."
        raise InputError("no contexts here", where=str(path), field="contexts", fix=fix)
    return found


def refuse_test_tasks(contexts: Iterable[Context], tasks: Iterable[Task]) -> None:
    """Thresholds are never tuned on tasks of a test split.

    Raises:
        InputError: a context belongs to one.
    """
    held = {task.id for task in tasks if task.split.startswith("test")}
    for context in contexts:
        if context.task_id in held:
            what = f"task {context.task_id} is of a test split"
            raise InputError(what, field="contexts", fix="build the contexts with split=val")


def turns_of(contexts: Iterable[Context], scorer: Scorer, planner: Planner | None = None) -> list[Turn]:
    """What replays need: the decoder's own candidates of each context, scored; the first is the greedy one.

    Contexts without a candidate of the decoder, or with trouble of the machinery, are left out.
    """
    import numpy as np

    from eval.replay import Turn
    from hybrid_agent.types import ToolCall

    turns = []
    said = _Follower(planner)
    for context in contexts:
        control = said(context)
        own = [c for c in context.candidates if c.stratum == "sampled"]
        if not own or any(c.label == "infra_failure" for c in own):
            continue
        segments = [c.segment for c in own]
        if hasattr(scorer, "judge"):  # what the gate said when the candidate was executed
            verdicts = {c.segment.text: c.verdict for c in own}
            known = {ToolCall.model_validate_json(t).model_dump_json(): v for t, v in verdicts.items() if v is not None}
            scorer.judge = _lookup(known)
        scores = scorer.score(context.window, segments)
        turns.append(
            Turn(
                group=context.group,
                passed=np.array([c.label == "pass" for c in own]),
                logprob=np.array([s.logprob for s in segments]),
                tokens=np.array([float(s.tokens) for s in segments]),
                choices=np.array([float(s.tokens - s.forced) for s in segments]),
                energy=np.array([s.energy for s in scores]),
                p=np.array([s.p for s in scores]),
                entropy=segments[0].entropy,
                low=segments[0].low,
                risk=control.risk,
                deliberate=control.deliberate,
            )
        )
    return turns


def plot(path: Path, tuned: Tuned) -> None:
    """Success over tokens: every policy tried, and those it is compared with."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    axes.scatter(*zip(*tuned.tried, strict=True), s=8, alpha=0.4, label="thresholds tried")
    for name, each in tuned.figures.items():
        if each["turns"] == max(f["turns"] for f in tuned.figures.values()):
            axes.scatter(each["tokens"], each["success"], marker="*" if name == "adaptive" else "o", s=70, label=name)
    axes.set(xlabel="decoder tokens a turn", ylabel="success of the chosen call")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def run(config: ScheduleConfig, console: Console) -> Path:
    """Tune and store; returns the folder with hybrid.json.

    Raises:
        InputError: no contexts, no scorer, or contexts of a test split.
    """
    from eval.manifest import seal
    from eval.tune import tune
    from hybrid_agent.assemble.decoders import parse_decoder
    from hybrid_agent.assemble.hybrid import load_part
    from hybrid_agent.assemble.parts import find_parts, part_hash
    from hybrid_agent.config.hybrid import TUNED, HybridConfig
    from hybrid_agent.packs.store import load_tasks
    from hybrid_agent.runs.atomic import write_json
    from hybrid_agent.runs.layout import new_attempt
    from hybrid_agent.types import Split

    if config.k_max < config.k_base:
        raise InputError("smaller than k_base", field="k_max", fix="raise k_max")
    off = dict.fromkeys(("experts", "draft", "shaping", "gate"), "off")
    switches = HybridConfig.model_validate({**off, "mode": "energy", "scorer": "on"})
    overrides = {"scorer": config.scorer, "planner": config.planner}
    spec = find_parts(parse_decoder(config.decoder), switches, overrides, Path(config.runs))
    contexts = contexts_at(Path(config.contexts))[: config.limit]
    tests: tuple[Split, ...] = ("test_names", "test_paraphrase", "test_composition")
    for pack in {context.pack for context in contexts}:
        refuse_test_tasks(contexts, (task for split in tests for task in load_tasks(pack, split)))
    scorer, planner = load_part("scorer", spec.parts), load_part("planner", spec.parts)
    with console.status(f"scoring {len(contexts)} contexts"):
        turns = turns_of(contexts, scorer, planner)
    if len({turn.group for turn in turns}) < 2:
        fix = "build them with a decoder: hybrid-agent traces build split=val decoder=tiny k=8"
        raise InputError("fewer than two tasks with candidates of the decoder", where=config.contexts, fix=fix)
    with console.status(f"replaying {len(turns)} turns"):
        tuned = tune(turns, config)
    folder = new_attempt(Path(config.out), STAGE, config.name)
    write_json(folder / TUNED, tuned.rules.model_dump(mode="json"))
    write_json(folder / REPORT, {"figures": tuned.figures, "rules": tuned.rules.model_dump(mode="json")})
    plot(folder / PLOT, tuned)
    seal(
        folder,
        "eval.schedule",
        config,
        [TUNED, REPORT, PLOT],
        seed=config.seed,
        parents={name: part_hash(path) for name, path in spec.parts.items()},
        data_hash=part_hash(Path(config.contexts)),
        metrics=tuned.figures,
    )
    _print(console, tuned)
    return folder


def command(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="As in configs/schedule.yaml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Tune the scheduler's thresholds on labelled candidates of the validation split."""
    console = Console(stderr=as_json, highlight=False)
    folder = run(load_config("schedule", overrides or [], ScheduleConfig), console)
    console.print(f"use it: tuned={folder}, or copy {folder}/hybrid.json beside the decoder", soft_wrap=True)
    if as_json:
        print(json.dumps({"folder": str(folder), **json.loads((folder / REPORT).read_text())}))


def _lookup(known: dict[str, Verdict]) -> Any:
    def seen(call: ToolCall) -> Verdict | None:
        return known.get(call.model_dump_json())

    return seen


class _Follower:
    """What a planner says of contexts; it follows those of one task in their order, as it follows an episode."""

    def __init__(self, planner: Planner | None) -> None:
        self._planner = planner
        self._group = ""

    def __call__(self, context: Context) -> Control:
        from hybrid_agent.types import Control

        if self._planner is None:
            return Control()
        if context.group != self._group:
            getattr(self._planner, "reset", lambda: None)()
            self._group = context.group
        return self._planner.step(context.window)


def _print(console: Console, tuned: Tuned) -> None:
    table = Table("policy", "success %", "against fixed", "95 %", "tokens", "of fixed %", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, f in tuned.figures.items():
        low, high = f["gain_interval"]
        table.add_row(
            name,
            f"{100 * f['success']:.1f}",
            f"{100 * f['gain']:+.1f}",
            f"{100 * low:+.1f} {100 * high:+.1f}",
            f"{f['tokens']:.0f}",
            f"{100 * f['tokens_of_fixed']:.0f}",
        )
    console.print(table)
    for name, value in tuned.rules.model_dump().items():
        console.print(f"{name:18} {value}")


if __name__ == "__main__":
    program(command)
