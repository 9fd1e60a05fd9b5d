"""The experts: LoRA specialists over one decoder, a child of two of them, and what they know taught to the generalist.

One attempt trains adapter after adapter. `adapters/NAME/` holds each as it was trained, `work/NAME/` its log and
checkpoints, `experts/NAME/` those that serve.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from transformers.utils.logging import disable_progress_bar

from hybrid_agent.config.stages.aoe import AoeConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.decoder.experts import CHILD
from hybrid_agent.nn.tokenizer import tokenizer_hash
from hybrid_agent.runs.atomic import write_json
from hybrid_agent.traces.domains import EXPERTS
from train.aoe_adapters import Trainer, load_base, new_adapter
from train.aoe_attempt import (
    ADAPTERS,
    DISTILLED,
    GENERALIST,
    MULTITASK,
    WORK,
    Attempt,
    Progress,
    data_path,
    fit,
    make_attempt,
)
from train.aoe_child import child_name, raise_child
from train.aoe_distill import distil
from train.aoe_report import make_report, plot_report, print_report, rounded, score_systems
from train.engine import METRICS
from train.ranks import Ranks
from train.stage import finish, open_folder, same_data, use_threads, watching

SERVING, REPORT = "experts", "report.json"


def run(config: TrainConfig, command: str, console: Console) -> Path:
    """Train the experts, or go on with the unfinished attempt of the same name; returns the run directory.

    Raises:
        InputError: decoder, data or an unfinished attempt does not fit the config.
        train.engine.Stopped: the run was interrupted and saved.
    """
    stage, ranks, root = config.stage, Ranks.from_environment(), Path(config.runs)
    assert isinstance(stage, AoeConfig)
    use_threads(config, ranks)
    disable_progress_bar()
    base = load_base(root, stage.decoder, config.profile.device)
    if not ranks.first:
        ranks.wait()  # the first rank makes folder, token cache and val sequences
    folder = open_folder(config, (ADAPTERS, SERVING, WORK))
    path = data_path(stage, base)
    digest = same_data(folder, path)
    progress = Progress.read(folder)
    if ranks.first and not progress.done:
        progress.save()
    with watching(config, folder, ranks, console) as tracker:
        attempt = make_attempt(
            config, stage, folder, path, base, Trainer(base, folder / WORK, config.profile, console, ranks, tracker)
        )
        if ranks.first:
            ranks.wait()
        attempt.log(
            f"aoe: {len(attempt.rows):,} sequences to train on, {len(attempt.held.tune):,} to decide on and "
            f"{len(attempt.held.test):,} to report on ({attempt.held.source}), in {folder}"
        )
        for name, part in _parts(stage):
            if name in progress.done:
                attempt.log(f"{name}: done before")
                continue
            figures = part(attempt)
            progress.done[name] = figures
            if ranks.first:
                progress.save()
            ranks.wait()
        if ranks.first:
            _finish(attempt, progress, command, digest)
    ranks.wait()
    return folder


Part = Callable[[Attempt], dict[str, Any]]


def _parts(stage: AoeConfig) -> list[tuple[str, Part]]:
    def specialist(name: str) -> Part:
        return lambda attempt: _specialist(attempt, name)

    parts: list[tuple[str, Part]] = [(name, specialist(name)) for name in stage.experts]
    parts += [(MULTITASK, _multitask)] if stage.multitask else []
    parts += [(child_name(stage), raise_child)] if stage.child else []
    parts += [(DISTILLED, distil)] if stage.distil else []
    return parts


def _specialist(attempt: Attempt, name: str) -> dict[str, Any]:
    stage = attempt.stage
    model = new_adapter(attempt.base.model, stage.rank, stage.alpha, attempt.seed(name))
    return fit(attempt, name, model, [name], attempt.seed(name), stage.length)


def _multitask(attempt: Attempt) -> dict[str, Any]:
    """One adapter with the rank and the steps of all experts together, on everything."""
    stage, many = attempt.stage, len(attempt.stage.experts)
    steps = (stage.length.max_steps or 0) * many
    length = stage.length.model_copy(update={"max_steps": steps})
    model = new_adapter(attempt.base.model, stage.rank * many, stage.alpha * many, attempt.seed(MULTITASK))
    return fit(attempt, MULTITASK, model, [GENERALIST], attempt.seed(MULTITASK), length)


def _serving(attempt: Attempt, progress: Progress) -> None:
    """Lay out `experts/`: the specialists, the distilled generalist if it is better, a promoted child."""
    stage, target = attempt.stage, attempt.folder / SERVING
    shutil.rmtree(target, ignore_errors=True)
    for name in stage.experts:
        distilled = name == GENERALIST and progress.done.get(DISTILLED, {}).get("promoted", False)
        shutil.copytree(attempt.adapter(DISTILLED if distilled else name), target / name)
    if stage.child and progress.done[child_name(stage)]["promoted"]:
        name = child_name(stage)
        shutil.copytree(attempt.adapter(name), target / name)
        parents = {"parents": list(stage.child.parents), "shares": progress.done[name]["shares"]}
        write_json(target / name / CHILD, parents)


def _finish(attempt: Attempt, progress: Progress, command: str, digest: str) -> None:
    """Report on all systems, then write the manifest."""
    folder, experts = attempt.folder, list(attempt.stage.experts)
    _serving(attempt, progress)
    adapters = {name: attempt.adapter(name) for name, _ in _parts(attempt.stage)}
    systems = score_systems(attempt.base.model, adapters, experts, attempt.held, attempt.config.seed)
    report = make_report(systems, attempt.held, attempt.config.seed) | {"parts": progress.done}
    searches = sorted((folder / WORK).glob("*-search.json"))
    report["searches"] = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in searches}
    size = sum(path.stat().st_size for path in (folder / SERVING).rglob("*") if path.is_file())
    report["bytes"] = size
    write_json(folder / REPORT, report)
    print_report(report, attempt.trainer.console)
    _tell(attempt, report["figures"])
    plots = plot_report(report, folder)
    metrics = {name: rounded(figures["all"]) for name, figures in report["figures"].items()}
    decisions = {name: part["promoted"] for name, part in progress.done.items() if "promoted" in part}
    files = [path for path in (*folder.glob(f"{SERVING}/*/*"), *folder.glob(f"{ADAPTERS}/*/*")) if path.is_file()]
    finish(
        attempt.config,
        folder,
        command,
        parents={"decoder": attempt.base.parent},
        data_hash=digest,
        tokenizer_hash=tokenizer_hash(attempt.base.tokenizer),
        metrics={**metrics, "promoted": decisions, "bytes": size, "held_out": attempt.held.source},
        files=[*files, *folder.glob(f"{WORK}/*/{METRICS}"), *searches, folder / REPORT, *plots],
        tracker=attempt.trainer.tracker,
    )


def _tell(attempt: Attempt, figures: dict[str, dict[str, dict[str, float]]]) -> None:
    """Exact calls of every system on every slice, and the shares of the slices in the training data."""
    tracker, slices = attempt.trainer.tracker, list(figures["base"])
    rows = [[name, *(round(found[part]["exact"], 4) for part in slices)] for name, found in figures.items()]
    tracker.table("systems", ["system", *slices], rows)
    expert = attempt.answers.expert
    shares = {f"routing/{name}": float((expert == number).mean()) for number, name in enumerate(EXPERTS)}
    tracker.log(0, {**{f"systems/{name}": found["all"]["exact"] for name, found in figures.items()}, **shares})
