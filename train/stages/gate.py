"""The gate's policy classifier: logistic regression on hashed features, calibrated on held-out templates.

It takes well under a minute and is the same whenever it runs with the same seed: a run that was killed starts over.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from hybrid_agent.config.stages.gate import GateConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.packs.hazards import CASES
from hybrid_agent.packs.pack import packs_root
from hybrid_agent.runs.atomic import write_text
from hybrid_agent.tools.policy_features import DIM, asks_removal, call_text, indices
from hybrid_agent.tools.policy_model import BUCKETS, RUNS, GateFile
from train.ebm_metrics import ece
from train.gate_data import Row, gold_rows, hazard_rows
from train.gate_plot import plot_gate
from train.ranks import Ranks
from train.samples import Table
from train.stage import finish, open_folder, same_data, watching

GATE, PLOT = "gate.json", "gate.png"
Floats = npt.NDArray[np.float64]


def run(config: TrainConfig, command: str, console: Console) -> Path:
    """Train; returns the run directory.

    Raises:
        InputError: the packs cannot be read.
    """
    stage = config.stage
    assert isinstance(stage, GateConfig)
    folder = open_folder(config, (GATE, PLOT))
    digest = same_data(folder, packs_root() / "hazards" / CASES)
    rows = dataset(stage, config.seed)
    console.print(f"gate: {len(rows):,} calls, {sum(row.deny for row in rows):,} to deny, in {folder}")
    gate, held, figures = fit(rows, stage, config.seed)
    write_text(folder / GATE, gate.model_dump_json() + "\n")
    deny = np.array([row.deny for row in rows])
    plot_gate(folder / PLOT, held, deny, gate.threshold)
    for name, value in figures.items():
        console.print(f"  {name}: {value:.4g}")
    with watching(config, folder, Ranks(), console) as tracker:
        tracker.log(0, figures | {"gate_ece": ece(held, deny)})
        tracker.table("samples", *_samples(rows, held, tracker.samples))
        finish(
            config,
            folder,
            command,
            parents={},
            data_hash=digest,
            tokenizer_hash=None,
            metrics=figures,
            files=[folder / GATE, folder / PLOT],
            tracker=tracker,
        )
    return folder


def _samples(rows: list[Row], held: Floats, limit: int) -> Table:
    """Calls that the gate of the other folds was least sure of, the worst first."""
    columns = ["call", "goal", "kind", "to deny", "p(deny)"]
    wrong = np.abs(held - np.array([row.deny for row in rows]))
    chosen = [int(place) for place in np.argsort(-wrong, kind="stable")[:limit]]
    return columns, [
        [call_text(row.situation.call), row.situation.goal, row.kind, row.deny, round(float(held[at]), 4)]
        for at in chosen
        for row in (rows[at],)
    ]


def dataset(stage: GateConfig, seed: int) -> list[Row]:
    """Gold calls, training hazards under several goals, and look-alikes."""
    gold = gold_rows(stage.tasks, seed, stage.swaps)
    goals = sorted({row.situation.goal for row in gold if not row.deny and not asks_removal(row.situation.goal)})
    picked = random.Random(f"{seed}:goals").sample(goals, min(stage.goals - 1, len(goals)))
    return gold + hazard_rows("train", picked)


def fit(rows: list[Row], stage: GateConfig, seed: int) -> tuple[GateFile, Floats, dict[str, float]]:
    """The trained gate, the calibrated held-out probability of each row, and the figures of the folds."""
    full = _matrix(rows)
    deny = np.array([row.deny for row in rows])
    weight = np.array([1.0 if row.kind == "gold" else stage.hazard_weight for row in rows])
    groups = [row.group for row in rows]
    raw = np.zeros(len(rows))
    for train, test in GroupKFold(stage.folds).split(full, deny, groups):
        model = _logistic(stage, seed, full[train], deny[train], weight[train])
        raw[test] = model.decision_function(full[test])
    platt = LogisticRegression(C=1e6).fit(raw[:, None], deny, sample_weight=weight)
    scale, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    held: Floats = 1.0 / (1.0 + np.exp(-np.clip(scale * raw + shift, -60, 60)))
    passes = np.array([row.passes for row in rows])
    threshold = choose_threshold(held[passes], deny[passes], stage)
    approval = choose_threshold(held[~passes], deny[~passes], stage, all_benign=int((~deny).sum()))
    model = _logistic(stage, seed, full, deny, weight)
    fill, fill_bias = _fill(rows, full, seed)
    gate = GateFile(
        threshold=round(threshold, 6),
        approval_threshold=round(max(approval, threshold), 6),
        scale=scale,
        shift=shift,
        bias=float(model.intercept_[0]),
        deny=_rounded(model.coef_[0]),
        fill_bias=_rounded(fill_bias),
        fill=tuple(_rounded(row) for row in fill),
        fill_threshold=stage.fill_threshold,
    )
    denied = held >= np.where(passes, threshold, max(approval, threshold))
    must = deny & passes
    figures = {
        "calls": float(len(rows)),
        "threshold": threshold,
        "approval_threshold": max(approval, threshold),
        "folds/hazards_denied": float(denied[deny].mean()),
        "folds/hazards_past_rules_denied": float(denied[must].mean()) if must.any() else 1.0,
        "folds/benign_denied": float(denied[~deny].mean()),
        "folds/brier": float(np.mean((held - deny) ** 2)),
    }
    return gate, held, figures


def choose_threshold(
    held: Floats, deny: npt.NDArray[np.bool_], stage: GateConfig, *, all_benign: int | None = None
) -> float:
    """The lowest threshold that denies at most a share `denials` of the calls to allow (at least 0.5).

    With `all_benign` the share is of that many calls, of which `held` shows only those that need approval anyway.
    Without it nothing else stops these hazards: the threshold goes lower, up to a share `most`, to catch them all.
    """
    benign = np.sort(held[~deny])[::-1]

    def lowest(share: float) -> float:
        allowed = int(share * (all_benign or len(benign)))
        return float(min(max(benign[allowed] + 1e-6, 0.5), 0.999)) if len(benign) > allowed else 0.5

    threshold = lowest(stage.denials)
    if all_benign is None and deny.any() and held[deny].min() < threshold:
        threshold = max(float(held[deny].min()) - 1e-6, lowest(stage.most))
    return threshold


def _logistic(
    stage: GateConfig, seed: int, full: csr_matrix, deny: npt.NDArray[np.bool_], weight: Floats
) -> LogisticRegression:
    model = LogisticRegression(C=stage.strength, max_iter=300, random_state=seed)
    return model.fit(full, deny, weight)


def _fill(rows: list[Row], full: csr_matrix, seed: int) -> tuple[Floats, Floats]:
    """Weights and biases of the time limits, relative to "leave the default"."""
    chosen = [n for n, row in enumerate(rows) if row.situation.call.tool in RUNS and not row.deny]
    bucket = np.array([rows[n].bucket for n in chosen])
    weight = np.where(bucket > 0, 8.0, 1.0)
    model = LogisticRegression(C=3.0, max_iter=300, random_state=seed).fit(full[chosen], bucket, weight)
    out, bias = np.zeros((len(BUCKETS), DIM)), np.full(len(BUCKETS), -30.0)
    for place, name in enumerate(model.classes_):
        out[name], bias[name] = model.coef_[place], model.intercept_[place]
    return out[1:] - out[0], bias[1:] - bias[0]


def _matrix(rows: list[Row]) -> csr_matrix:
    """(rows, DIM) of ones and zeros."""
    found = [indices(row.situation) for row in rows]
    ends = np.cumsum([0, *(len(one) for one in found)])
    return csr_matrix((np.ones(int(ends[-1])), np.concatenate(found), ends), shape=(len(rows), DIM))


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
