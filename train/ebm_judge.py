"""From a trained energy model and labelled contexts to calibration and report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from hybrid_agent.errors import InputError
from hybrid_agent.scorer.calibration import Calibration, Head, fit_head, veto_threshold
from hybrid_agent.scorer.model import EnergyModel
from hybrid_agent.traces.contexts import Domain
from hybrid_agent.traces.domains import DOMAINS
from train.data import bucket
from train.ebm_data import Contexts, collate
from train.ebm_metrics import Floats, Judged

LEAST = 100  # candidates that a curve needs: the decoder's own of a domain, else all of it, else all there are
Baseline = dict[str, list[float]]  # domain -> weights of the features, then the intercept


@torch.no_grad()
def energies_of(
    model: EnergyModel, data: Contexts, contexts: NDArray[np.int64], *, packed: bool, batch_tokens: int, device: str
) -> dict[str, Floats]:
    """Energies (C,) of the candidates of `contexts`, in order: `full`, and `model` with all features left out."""
    chosen = data.candidates(contexts)
    place = np.full(len(data.passed), -1, np.int64)
    place[chosen] = np.arange(len(chosen))
    found = {name: np.zeros(len(chosen)) for name in ("full", "model")}
    was_training = model.training
    model.eval()
    for group in bucket(contexts, data.lengths(packed), batch_tokens):
        batch = collate(data, group, packed).to(torch.device(device))
        pooled = model.pooled(batch.text) if batch.text is not None else None
        at = place[batch.index]
        found["full"][at] = model.energy(pooled, batch.features, batch.domain).float().cpu().numpy()
        without = model.energy(pooled, torch.zeros_like(batch.features), batch.domain)
        found["model"][at] = without.float().cpu().numpy()
    model.train(was_training)
    return found


def calibrate(
    energies: Mapping[str, Floats],
    data: Contexts,
    parts: Mapping[str, NDArray[np.int64]],
    *,
    over_veto: float,
    cap: float,
) -> Calibration:
    """Fit each head's curve on the calibration part, then search its veto threshold on the validation part.

    Both on the decoder's own candidates, if there are enough: those are what will be judged, and they pass far more
    often than made-up ones.

    Args:
        energies: full energies (C,) of the candidates of each part.
        over_veto: most passing calls that may be vetoed.
    """
    fit, val = data.candidates(parts["calibration"]), data.candidates(parts["val"])
    heads: dict[Domain, Head] = {}
    for number, name in enumerate(DOMAINS):
        rows = population(data, fit, number)
        head = fit_head(energies["calibration"][rows], data.passed[fit][rows])
        seen = population(data, val, number)
        p = head.probabilities(energies["val"][seen])
        threshold = veto_threshold(p, data.passed[val][seen], over_veto, cap)
        heads[name] = head.model_copy(update={"threshold": threshold})
    return Calibration(heads=heads)


def population(data: Contexts, index: NDArray[np.int64], domain: int) -> NDArray[np.bool_]:
    """Which of these candidates stand for what a head will judge, bool (len(index),)."""
    mine = data.domain[index] == domain
    for chosen in (mine & data.written[index], mine):
        if chosen.sum() >= LEAST:
            return chosen
    return np.ones(len(index), np.bool_)


def fit_baseline(data: Contexts, contexts: NDArray[np.int64]) -> Baseline:
    """Logistic regression on the features alone, one a domain: what the text must beat."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    rows = data.candidates(contexts)
    found: Baseline = {}
    for number, name in enumerate(DOMAINS):
        mine = rows[data.domain[rows] == number]
        y = data.passed[mine]
        if len(mine) < LEAST or y.all() or not y.any():
            continue
        fitted = LogisticRegression(C=1.0, max_iter=300).fit(data.features[mine], y)
        found[name] = [*map(float, fitted.coef_[0]), float(fitted.intercept_[0])]
    return found


def judge(
    data: Contexts,
    contexts: NDArray[np.int64],
    energies: Mapping[str, Floats],
    calibration: Calibration,
    base: Baseline,
) -> Judged:
    """Put together what each method says of the candidates of `contexts`."""
    rows = data.candidates(contexts)
    domain = data.domain[rows]
    p, lines, linear = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
    for number, name in enumerate(DOMAINS):
        mine = domain == number
        p[mine] = calibration.heads[name].probabilities(energies["full"][mine])
        lines[mine] = calibration.heads[name].threshold
        if name in base:
            linear[mine] = data.features[rows[mine]] @ np.array(base[name][:-1]) + base[name][-1]
    scores = {"full": -energies["full"], "model": -energies["model"], "features": linear}
    if data.written.any():
        scores["logprob"] = data.logprob[rows].astype(np.float64)
    counts = np.diff(data.first)[contexts]
    owner = np.repeat(np.arange(len(contexts)), counts)
    return Judged(scores, p, p < lines, data.passed[rows], domain, data.stratum[rows], owner, data.written[rows])


def read_baseline(path: Path) -> Baseline:
    """Read back a stored baseline.

    Raises:
        InputError: not readable.
    """
    try:
        found: Baseline = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("no readable baseline", where=str(path)) from error
    return found


def show(report: Mapping[str, Any], console: Console, title: str) -> None:
    """Print a report: one line a head, then the comparisons."""
    columns = ("head", "n", "pass", "AUC", "(95 %)", "AP", "own n", "own AUC", "ECE", "Brier", "over-veto", "(95 %)")
    rows = [[*columns, "caught"]]
    for name, head in report["heads"].items():
        low, high = head["auc_interval"] or (0.0, 1.0)
        a, b = head["over_veto_interval"]
        rows.append(
            [
                name,
                f"{head['count']:,}",
                f"{head['passing']:,}",
                _number(head["auc"]),
                f"({low:.3f}-{high:.3f})",
                _number(head["ap"]),
                f"{head['own_count']:,}",
                _number(head["own_auc"]),
                _number(head["ece"]),
                _number(head["brier"]),
                _share(head["over_veto"]),
                f"({a:.1%}-{b:.1%})",
                _share(head["caught"]),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines += ["own: the decoder's own candidates (all where there are none); from there on figures are on those"]
    for name, head in report["heads"].items():
        strata = ", ".join(f"{s} {_number(v['auc'])} (n={v['count']:,})" for s, v in head["strata"].items())
        lines.append(f"{name}: AUC by stratum: {strata}")
        for whose, key in (("all", "methods"), ("own", "methods_own")):
            said = ", ".join(f"{m} {_number(v)}" for m, v in head[key].items())
            lines.append(f"{name}: AUC on {whose} candidates by method: {said}")
    picked = report["choice"]
    rates = ", ".join(f"{m} {_share(v)}" for m, v in picked["pass_rate"].items())
    whose = "the decoder's own" if picked["decoder_only"] else "all"
    lines.append(f"best of {whose} candidates, {picked['contexts']:,} mixed contexts: {rates}")
    console.print("\n".join([title, *lines]), highlight=False, soft_wrap=True, markup=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
