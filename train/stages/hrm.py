"""Training of the planner: tool and expert priors, risk, deliberation and plans, on any of three kinds of episodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from hybrid_agent.config.stages.hrm import HrmConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.planner.calibration import Calibration
from hybrid_agent.planner.hrm import HrmPlanner, PlannerFile
from hybrid_agent.planner.model import PlannerNet
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import MANIFEST
from hybrid_agent.runs.tracking import Cell, Tracker
from hybrid_agent.traces.domains import EXPERTS
from hybrid_agent.traces.provenance import PROVENANCE
from train.engine import Engine, Loss
from train.flops import flops_per_token
from train.hrm_batches import EpisodeStream, PlannerBatch
from train.hrm_data import PlannerData, planner_data
from train.hrm_episodes import Sources, load_episodes
from train.hrm_eval import Predictions, apply, figures, fit_calibration, predict
from train.hrm_loss import planner_loss
from train.hrm_plots import plot_planner
from train.ranks import Ranks
from train.samples import Table
from train.stage import finish, open_folder, same_data, use_threads, watching

PLANNER, INPUTS = "planner", "inputs.json"
BUNDLE = Path(__file__).parents[2] / "hybrid_agent" / "bundles" / "tiny"


def run(config: TrainConfig, command: str, console: Console) -> Path:
    """Train, or go on with the unfinished attempt of the same name; returns the run directory.

    Raises:
        InputError: the data, a parent or an unfinished attempt does not fit the config.
        train.engine.Stopped: the run was interrupted and saved.
    """
    stage, ranks = config.stage, Ranks.from_environment()
    assert isinstance(stage, HrmConfig)
    threads = use_threads(config, ranks)
    sources = Sources.find(stage)
    parents = _parents(stage, sources, Path(config.runs), console)
    if not ranks.first:
        ranks.wait()  # the first rank makes the folder
    folder = open_folder(config, (PLANNER, INPUTS))
    digest = _same_inputs(folder, sources)
    if ranks.first:
        ranks.wait()
    data = planner_data(load_episodes(stage), stage, config.seed)
    tracker = watching(config, folder, ranks, console)
    net, engine = build(config, data, folder, console, ranks, tracker)
    size = sum(p.numel() for p in net.parameters())
    turns = [len(data.arrays[row].counts) for row in data.train]
    console.print(
        f"hrm ({stage.planner.variant}): {len(turns):,} episodes, {sum(turns):,} turns ({data.sources}), "
        f"{len(data.fit)}+{len(data.report)} held out, {size / 1e6:.2f} M parameters, "
        f"{ranks.world} x {threads} threads, in {folder}"
    )
    with tracker:
        engine.fit()
        if ranks.first:
            _finish(config, folder, data, net.cpu(), engine, command, parents, digest, tracker)
    ranks.wait()
    return folder


def build(
    config: TrainConfig,
    data: PlannerData,
    folder: Path,
    console: Console,
    ranks: Ranks | None = None,
    tracker: Tracker | None = None,
) -> tuple[PlannerNet, Engine]:
    """A fresh network (initialised from the seed) and the engine that trains it on `data`."""
    stage = config.stage
    assert isinstance(stage, HrmConfig)
    device = torch.device(config.profile.device)
    torch.manual_seed(config.seed)
    net = PlannerNet(stage.planner, len(data.tools), len(EXPERTS)).to(device)

    def loss(batch: PlannerBatch) -> Loss:
        with torch.autocast(device.type, enabled=False):  # too small to gain from bf16
            return planner_loss(net, batch.to(device), stage.loss, data.weights)

    def evaluate() -> dict[str, float]:
        with torch.autocast(device.type, enabled=False):
            found = predict(net, data.arrays, data.held_out, stage.loss, stage.optim.batch_tokens)
        return figures(found, data.tool_marginal) | {f"val_{k}": v for k, v in found.losses.items()}

    engine = Engine(
        net,
        EpisodeStream(data.arrays, data.train, stage.optim.batch_tokens, config.seed),
        loss,
        evaluate,
        folder=folder,
        optim=stage.optim,
        length=stage.length,
        profile=config.profile,
        console=console,
        ranks=ranks,
        watch=tracker.mirror() if tracker is not None else None,
        flops=flops_per_token(net),
    )
    return net, engine


def _finish(
    config: TrainConfig,
    folder: Path,
    data: PlannerData,
    net: PlannerNet,
    engine: Engine,
    command: str,
    parents: dict[str, str],
    digest: str,
    tracker: Tracker,
) -> None:
    """Calibrate on one half of the held-out tasks, report on the other, write everything and, last, the manifest."""
    stage = config.stage
    assert isinstance(stage, HrmConfig)
    fitted = predict(net, data.arrays, data.fit, stage.loss, stage.optim.batch_tokens)
    calibration = fit_calibration(fitted, data.tools, data.tool_marginal)
    reported = predict(net, data.arrays, data.report, stage.loss, stage.optim.batch_tokens)
    metrics = figures(reported, data.tool_marginal, calibration)
    tracker.log(engine.step, metrics)
    tracker.table("samples", *_samples(reported, data, calibration, tracker.samples))
    metrics |= {
        "steps": engine.step,
        "turns": engine.tokens,
        "seconds": round(engine.elapsed, 1),
        "parameters": sum(p.numel() for p in net.parameters()),
        "report_turns": len(reported.row),
        "report_tasks": len({data.groups[row] for row in np.unique(reported.row)}),
    }
    file = PlannerFile(planner=stage.planner, tools=data.tools, experts=EXPERTS)
    files = HrmPlanner(file, net, calibration).save(folder / PLANNER)
    plots = plot_planner(folder, reported, calibration)
    finish(
        config,
        folder,
        command,
        parents=parents,
        data_hash=digest,
        tokenizer_hash=None,
        metrics=metrics,
        files=[*files, folder / INPUTS, *plots],
        tracker=tracker,
    )


def _same_inputs(folder: Path, sources: Sources) -> str:
    """Write down the hash of every input file; an attempt goes on only with the same ones."""
    write_json(folder / INPUTS, {f"{path.parent.name}/{path.name}": file_hash(path) for path in sources.all()})
    return same_data(folder, folder / INPUTS)


def _parents(stage: HrmConfig, sources: Sources, root: Path, console: Console) -> dict[str, str]:
    """Hashes of the decoder's manifest and of the contexts' own record."""
    out = {}
    if stage.decoder is not None:
        parent = find_run(root, str(BUNDLE) if stage.decoder == "bundle" else stage.decoder)
        out["decoder"] = file_hash(parent / MANIFEST)
        console.print(f"decoder: {parent}")
    if sources.contexts is not None and (sources.contexts.parent / PROVENANCE).is_file():
        out["contexts"] = file_hash(sources.contexts.parent / PROVENANCE)
    return out


def _samples(found: Predictions, data: PlannerData, calibration: Calibration, limit: int) -> Table:
    """The first turns that are reported on: what the planner expected, and what was right."""
    columns = ["task", "tool", "its prior", "right tool", "expert", "risk", "fails soon"]
    rows: list[list[Cell]] = []
    for turn in range(min(limit, len(found.row))):
        tool, true = found.tool[turn], found.true_tool[turn]
        known = data.tools[int(true.argmax())] if true.sum() > 0 else None
        failed = {0: False, 1: True}.get(int(found.true_risk[turn]))
        risk = float(apply(calibration.risk, found.risk[turn : turn + 1])[0])
        best = int(tool.argmax())
        expert = EXPERTS[int(found.expert[turn].argmax())]
        task = str(data.groups[found.row[turn]])
        rows.append([task, data.tools[best], round(float(tool[best]), 4), known, expert, round(risk, 4), failed])
    return columns, rows
