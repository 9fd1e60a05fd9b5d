"""Reinforcement learning of the decoder on work that is done and judged in the sandbox (docs/rl.md)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from rich.console import Console
from transformers.utils.logging import disable_progress_bar

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.optim import LengthConfig
from hybrid_agent.config.stages.rl import RlConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.decoder.checkpoint import load_checkpoint
from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import tokenizer_hash
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.runs.layout import find_run, open_attempt
from hybrid_agent.runs.manifest import MANIFEST, read_manifest
from hybrid_agent.runs.tracking import Cell, Tracker
from train.engine import Engine, Loss
from train.flops import flops_per_token
from train.ranks import Ranks
from train.rl.loss import policy_loss
from train.rl.phases import (
    DECODER,
    LEXICON,
    PHASES,
    REPORT,
    SHARDS,
    Parts,
    PhaseReport,
    PhaseStream,
    read_report,
    save_decoder,
)
from train.rl.plots import plot_rl
from train.rl.policy import check_engine
from train.rl.records import Group, read_groups
from train.rl.rows import Row
from train.samples import Table
from train.stage import finish, open_folder, same_data, same_settings, use_threads, watching

PARENTS = "parents.json"
SCORER = "scorer"


def run(config: TrainConfig, command: str, console: Console) -> Path:
    """Train, or go on with the unfinished attempt of the same name; returns the run directory.

    Raises:
        InputError: a parent or an unfinished attempt does not fit the config.
        HybridAgentError: there is nothing to learn, or the reward is being gamed.
        train.engine.Stopped: the run was interrupted and saved.
    """
    stage, root, ranks = config.stage, Path(config.runs), Ranks.from_environment()
    assert isinstance(stage, RlConfig)
    check_engine(stage.engine)
    threads = use_threads(config, ranks)
    disable_progress_bar()  # of transformers: the weights are a few megabytes
    parent, scorer, parents = find_parents(stage, root)
    if not ranks.first:
        ranks.wait()  # the first rank makes the folder
    folder = open_folder(config, () if _goes_on(config, parents) else (PHASES, DECODER))
    write_json(folder / PARENTS, parents)
    same_data(folder, folder / PARENTS)
    if ranks.first:
        ranks.wait()
    torch.manual_seed(config.seed)
    model, tokenizer = load_checkpoint(parent / DECODER)
    model = model.to(torch.device(config.profile.device))  # type: ignore[arg-type]
    console.print(
        f"rl: {stage.phases} phases of {stage.tasks} tasks x {stage.group} tries ({stage.unit}s), "
        f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters from {parent}, "
        f"{ranks.world} x {threads} threads, in {folder}"
    )
    parts = Parts(stage, model, tokenizer, parent, scorer, folder, config.seed, console, ranks, config.fanout)
    stream = PhaseStream(parts)

    def loss(rows: list[Row]) -> Loss:
        # Ratios need exact arithmetic: bf16 only where it is asked for by name.
        with torch.autocast(config.profile.device, enabled=config.profile.precision == "bf16"):
            found = policy_loss(model, rows, stage)
        report = stream.report()
        seen = {"phase": float(report.phase), "reward": report.reward, "pass_rate": report.pass_rate}
        seen |= {"greedy": report.greedy, "scorer_auc": report.auc, "mismatch": report.mismatch}
        return Loss(found.value, found.tokens, {**found.logs, **seen})

    with watching(config, folder, ranks, console) as tracker:
        engine = Engine(
            model,
            stream,
            loss,
            None,
            folder=folder,
            optim=stage.optim,
            length=LengthConfig(
                max_steps=max(1, stage.phases * stage.updates // ranks.world),  # each rank takes an update's rows
                max_minutes=stage.max_minutes,
                log_every=1,
                save_every=stage.save_every,
            ),
            profile=config.profile,
            console=console,
            ranks=ranks,
            watch=tracker.mirror(),
            flops=flops_per_token(model),
        )
        if not engine.backend.whole:
            fix = "raise it to the size of the model, or train in plain torch"
            what = "the first rank makes the rollouts and needs all weights for that"
            raise InputError(what, field="profile.deepspeed.whole_below", fix=fix)
        engine.fit()
        if ranks.first:
            _finish(config, parts, engine, command, parents, tracker)
    ranks.wait()
    return folder


def _goes_on(config: TrainConfig, parents: dict[str, str]) -> bool:
    """Whether the rollouts of an unfinished attempt were made for this config and these parents: they cost more than
    all else, and there is no checkpoint before the first update."""
    folder = None if config.fresh else open_attempt(Path(config.runs), config.stage.name, config.name)
    if folder is None or not (folder / PARENTS).is_file():
        return False
    return same_settings(config, folder) and json.loads((folder / PARENTS).read_text()) == parents


def find_parents(stage: RlConfig, root: Path) -> tuple[Path, Path | None, dict[str, str]]:
    """Folders of the decoder's run and of the scorer, and the hashes of their manifests.

    Raises:
        InputError: a run is not complete, or holds no such part.
    """
    parent = bundle_folder() if stage.decoder == "bundle" else find_run(root, stage.decoder)
    read_manifest(parent)
    if not (parent / DECODER).is_dir():
        raise InputError("the run has no decoder", where=str(parent), field="stage.decoder", fix="name an sft run")
    parents = {"decoder": file_hash(parent / MANIFEST)}
    if stage.scorer is None:
        return parent.absolute(), None, parents
    home = bundle_folder() if stage.scorer == "bundle" else find_run(root, stage.scorer)
    if not (home / SCORER).is_dir():
        raise InputError("the run has no scorer", where=str(home), field="stage.scorer", fix="name an ebm run")
    return parent.absolute(), (home / SCORER).absolute(), parents | {"scorer": file_hash(home / MANIFEST)}


def _finish(
    config: TrainConfig, parts: Parts, engine: Engine, command: str, parents: dict[str, str], tracker: Tracker
) -> None:
    """Write the decoder people load, the plots and, last, the manifest."""
    folder = parts.folder
    parts.model.cpu()
    save_decoder(folder, parts)
    done = sorted((folder / PHASES).glob(f"*/{REPORT}"))
    reports = [read_report(path.parent) for path in done]
    shards = sorted((folder / PHASES).glob(f"*/{SHARDS}/*.jsonl.gz"))
    last = reports[-1].phase
    newest = [group for path in shards if path.parts[-3] == f"{last:03d}" for group in read_groups(path)]
    tracker.table("samples", *_samples(newest, parts, tracker.samples))
    finish(
        config,
        folder,
        command,
        parents=parents,
        data_hash=hashlib.sha256("".join(file_hash(path) for path in shards).encode()).hexdigest(),
        tokenizer_hash=tokenizer_hash(parts.tokenizer),
        metrics=figures(reports) | {"updates": engine.step, "seconds": round(engine.elapsed, 1)},
        files=[
            *(f for f in (folder / DECODER).iterdir() if f.is_file()),
            folder / LEXICON,
            folder / PARENTS,
            *plot_rl(folder, reports),
            *done,
        ],
        tracker=tracker,
    )


def _samples(groups: list[Group], parts: Parts, limit: int) -> Table:
    """Tries of the last phase, a few of each group: what was asked, what was written, what came of it."""
    columns = ["task", "kind", "goal", "calls", "label", "passed", "tries", "energy"]
    rows: list[list[Cell]] = []
    for group in groups:
        for rollout in sorted(group.rollouts, key=lambda one: -one.count)[:2]:
            calls = "\n".join(str(parts.tokenizer.decode(list(piece.tokens))) for piece in rollout.pieces)
            came = [rollout.label, rollout.passed, rollout.count, rollout.energy]
            rows.append([group.task_id, group.kind, group.windows[0].goal, calls, *came])
    return columns, rows[:limit]


def figures(reports: list[PhaseReport]) -> dict[str, object]:
    """First and last phase beside each other; all of it is on training tasks."""
    first, last = reports[0], reports[-1]
    return {
        "phases": len(reports),
        "tries": sum(report.tries for report in reports),
        "masked": sum(report.masked for report in reports),
        "informative": [report.informative for report in reports],
        "pass_rate": [round(first.pass_rate, 4), round(last.pass_rate, 4)],
        "greedy_pass_rate": [round(first.greedy, 4), round(last.greedy, 4)],
        "reward": [round(first.reward, 4), round(last.reward, 4)],
        "held_out_gap": [round(first.agreement.gap, 4), round(last.agreement.gap, 4)],
        "held_out_agreement": [round(first.agreement.agreement, 4), round(last.agreement.agreement, 4)],
        "mismatch": max(report.mismatch for report in reports),
    }
