"""What each part of the planner is worth: `python -m train.hrm_ablate stage.contexts=FILE [seeds=0,1,2] [key=value]`.

Trains every variant with every seed on the same tasks and steps, evaluates them on the same held-out tasks, and
prints a table; differences to `full` are paired over tasks, with 95 % bootstrap intervals. `variants=full,flat`
limits it. Exit codes: 0 done, 2 bad input.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from hybrid_agent.config.load import load_config
from hybrid_agent.config.stages.hrm import HrmConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_json

VARIANTS = ("full", "flat", "shuffled_g", "no_infonce", "one_step", "no_step_ticks")
COLUMNS = {
    "tool_ce_step": "tool CE",
    "tool_acc_step": "tool acc",
    "expert_acc_step": "expert acc",
    "risk_auc": "risk AUC",
    "deliberate_ap": "deliberate AP",
    "infonce_acc": "InfoNCE acc",
}
RESAMPLES = 500


@dataclass(frozen=True)
class Arm:
    """One variant: figures of each seed, and each held-out task's summed tool loss and turn count over seeds."""

    figures: list[dict[str, float]]
    task_loss: NDArray[np.float64]
    task_turns: NDArray[np.float64]
    parameters: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, compare, print; writes RUNS/ablate/hrm-NAME.json."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--help" in given or "-h" in given:
        print(__doc__)
        return 0
    own = {key: value for key, _, value in (a.partition("=") for a in given) if key in ("seeds", "variants")}
    overrides = [a for a in given if a.split("=")[0] not in own]
    if not any(a.startswith("stage=") for a in overrides):
        overrides.insert(0, "stage=hrm")
    try:
        config = load_config("train", overrides, TrainConfig)
        if not isinstance(config.stage, HrmConfig):
            raise InputError("only the planner is ablated here", field="stage", fix="stage=hrm")
        seeds, variants = _seeds(own.get("seeds", "0,1,2")), _variants(own.get("variants"))
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        arms = compare(config, variants, seeds)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rows = summary(arms)
    path = Path(config.runs) / "ablate" / f"hrm-{config.name}.json"
    write_json(path, {"command": given, "seeds": seeds, "variants": rows})
    _print(rows)
    print(f"written: {path}")
    return 0


def compare(config: TrainConfig, variants: Sequence[str], seeds: Sequence[int]) -> dict[str, Arm]:
    """Train and evaluate each variant with each seed; the tasks are split by the config's own seed."""
    import torch

    from train.hrm_data import PlannerData, planner_data
    from train.hrm_episodes import load_episodes
    from train.hrm_eval import figures, predict, tool_losses
    from train.stages.hrm import build

    base = config.stage
    assert isinstance(base, HrmConfig)
    torch.set_num_threads(config.profile.threads or 1)
    console = Console(stderr=True)
    episodes = load_episodes(base)
    data: dict[bool, PlannerData] = {}
    arms: dict[str, Arm] = {}
    nets: dict[int, torch.nn.Module] = {}
    for variant in variants:
        planner = base.planner.model_copy(
            update={"tick_on_steps": False} if variant == "no_step_ticks" else {"variant": variant}
        )
        stage = base.model_copy(update={"planner": planner})
        if planner.tick_on_steps not in data:
            data[planner.tick_on_steps] = planner_data(episodes, stage, config.seed)
        here = data[planner.tick_on_steps]
        found = []
        loss = turns = np.zeros(len(here.arrays))
        for seed in seeds:
            if variant == "shuffled_g" and seed in nets:
                net = nets[seed]  # the same network: only its plans are mixed up
                net.config = planner
            else:
                seeded = config.model_copy(update={"stage": stage, "seed": seed})
                console.print(f"training {variant}, seed {seed}")
                with tempfile.TemporaryDirectory(prefix="ablate-") as folder:
                    net, engine = build(seeded, here, Path(folder), Console(quiet=True))
                    engine.fit()
            if variant == "full":
                nets[seed] = net
            p = predict(net, here.arrays, here.held_out, stage.loss, stage.optim.batch_tokens)
            found.append(figures(p, here.tool_marginal))
            known = (p.true_tool.sum(1) > 0) & p.in_step
            loss = loss + np.bincount(p.row[known], tool_losses(p)[known], len(here.arrays))
            turns = turns + np.bincount(p.row[known], minlength=len(here.arrays))
        tasks = np.unique([here.groups[row] for row in here.held_out], return_inverse=True)[1]
        totals = [np.bincount(tasks, values[here.held_out]) for values in (loss, turns)]
        arms[variant] = Arm(found, totals[0], totals[1], sum(p.numel() for p in net.parameters()))
    return arms


def summary(arms: dict[str, Arm]) -> list[dict[str, object]]:
    """One row a variant: mean and spread over seeds of each figure, and the paired difference of tool CE."""
    rows: list[dict[str, object]] = []
    for name, arm in arms.items():
        row: dict[str, object] = {"variant": name, "parameters": arm.parameters}
        for key in (*COLUMNS, "infonce_chance", "tool_ce", "tool_ce_marginal"):
            values = [f[key] for f in arm.figures if key in f]
            if values:
                row[key] = float(np.mean(values))
                row[f"{key}_sd"] = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        if name != "full" and "full" in arms:
            row["tool_ce_minus_full"] = paired(arm, arms["full"])
        rows.append(row)
    return rows


def paired(arm: Arm, full: Arm) -> list[float]:
    """(difference, low, high) of the mean tool CE: a bootstrap over tasks, the same tasks drawn for both arms."""
    rng = np.random.default_rng(0)
    count = len(full.task_loss)
    drawn = rng.integers(0, count, (RESAMPLES, count))

    def means(one: Arm, tasks: NDArray[np.int64]) -> NDArray[np.float64]:
        return one.task_loss[tasks].sum(-1) / np.maximum(one.task_turns[tasks].sum(-1), 1.0)

    low, high = np.percentile(means(arm, drawn) - means(full, drawn), (2.5, 97.5))
    everything = np.arange(count)
    return [float(means(arm, everything) - means(full, everything)), float(low), float(high)]


def _print(rows: Sequence[dict[str, object]]) -> None:
    table = Table("variant", "parameters", *COLUMNS.values(), "CE - full [95 %]")
    for row in rows:
        cells = [f"{row[key]:.3f} ±{row[f'{key}_sd']:.3f}" if key in row else "-" for key in COLUMNS]
        difference = row.get("tool_ce_minus_full")
        shown = "{:+.3f} [{:+.3f}, {:+.3f}]".format(*difference) if isinstance(difference, list) else ""
        table.add_row(str(row["variant"]), f"{row['parameters']:,}", *cells, shown)
    Console(width=150).print(table)
    marginal = rows[0].get("tool_ce_marginal")
    if marginal is not None:
        print(f"tool CE on all turns: {rows[0]['tool_ce']:.3f}, of the marginal: {marginal:.3f}")
    print("tool and expert figures: turns inside steps; ± is the spread over seeds")


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"not a list of seeds: {text!r}", field="seeds", fix="seeds=0,1,2") from None


def _variants(text: str | None) -> list[str]:
    chosen = list(VARIANTS) if text is None else text.split(",")
    unknown = [name for name in chosen if name not in VARIANTS]
    if unknown:
        raise InputError(f"no such variant: {unknown[0]}", field="variants", fix="use some of " + ",".join(VARIANTS))
    return chosen


if __name__ == "__main__":
    sys.exit(main())
