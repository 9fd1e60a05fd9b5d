"""How good a planner is on held-out tasks, and the calibration that is stored with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hybrid_agent.config.stages.hrm import HrmLossConfig
from hybrid_agent.planner.calibration import Calibration, Knots, knots_of
from hybrid_agent.planner.model import PlannerNet, risk_within
from train.data import bucket
from train.hrm_batches import UNKNOWN, EpisodeArrays, collate
from train.hrm_loss import PlanMatch, Weights, head_losses, match_plans

Floats = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True)
class Predictions:
    """The last pass's answers on M turns, beside the truth (see EpisodeArrays). `row` is each turn's episode."""

    tool: Floats
    expert: Floats
    risk: Floats
    deliberate: Floats
    true_tool: Floats
    true_expert: Floats
    true_risk: NDArray[np.int64]
    true_deliberate: NDArray[np.int64]
    in_step: NDArray[np.bool_]
    row: NDArray[np.int64]
    losses: dict[str, float]
    match: tuple[float, float, int]


@torch.no_grad()
def predict(
    net: PlannerNet, data: Sequence[EpisodeArrays], rows: NDArray[np.int64], loss: HrmLossConfig, batch_turns: int
) -> Predictions:
    """Run the network, in evaluation mode, over episodes."""
    net.eval()
    lengths = np.array([len(e.counts) for e in data], np.int64)
    device = next(net.parameters()).device
    parts: dict[str, list[NDArray[np.generic]]] = {}
    losses: dict[str, float] = {}
    matches: list[PlanMatch] = []
    turns = 0
    for group in bucket(rows, lengths, batch_turns):
        batch = collate([data[row] for row in group]).to(device)
        passes, plans = net(batch.states)
        out = passes[-1]
        count = len(batch.tool)
        for name, value in head_losses(out, batch, Weights()).items():
            losses[name] = losses.get(name, 0.0) + value.item() * count
        turns += count
        if plans is not None:
            matches.append(match_plans(net.to_key(plans).float(), batch.keys, loss))
        found = {
            "tool": out.tool.softmax(-1),
            "expert": out.expert.softmax(-1),
            "risk": risk_within(out.hazard)[:, -1],
            "deliberate": out.deliberate.sigmoid(),
            "true_tool": batch.tool,
            "true_expert": batch.expert,
            "true_risk": batch.failed[:, -1].long(),
            "true_deliberate": batch.deliberate.long(),
            "in_step": batch.in_step,
        }
        for name, tensor in found.items():
            array = tensor.cpu().numpy()
            parts.setdefault(name, []).append(array.astype(np.float64) if array.dtype.kind == "f" else array)
        parts.setdefault("row", []).append(np.repeat(group, lengths[group]))
    arrays = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    n = max(1, sum(m.count for m in matches))
    right, chance = (sum(getattr(m, k) * m.count for m in matches) / n for k in ("right", "chance"))
    mean = {name: value / max(1, turns) for name, value in losses.items()}
    return Predictions(**arrays, losses=mean, match=(right, chance, sum(m.count for m in matches)))  # type: ignore[arg-type]


def figures(p: Predictions, tool_marginal: Floats, calibration: Calibration | None = None) -> dict[str, float]:
    """Every figure that the predictions allow; calibrated ones only with a calibration."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    known = p.true_tool.sum(1) > 0
    step = known & p.in_step
    out: dict[str, float] = {}
    if known.any():
        out |= {
            "tool_ce": tool_losses(p)[known].mean(),
            "tool_ce_marginal": -(p.true_tool[known] @ np.log(np.maximum(tool_marginal, 1e-9))).mean(),
            "tool_acc": _accuracy(p.tool, p.true_tool, known),
            "tool_acc_marginal": float(p.true_tool[known, int(tool_marginal.argmax())].mean()),
            "expert_acc": _accuracy(p.expert, p.true_expert, known),
        }
    if step.any():
        out |= {
            "tool_ce_step": tool_losses(p)[step].mean(),
            "tool_acc_step": _accuracy(p.tool, p.true_tool, step),
            "expert_acc_step": _accuracy(p.expert, p.true_expert, step),
        }
    for name, score, truth in (("risk", p.risk, p.true_risk), ("deliberate", p.deliberate, p.true_deliberate)):
        there = truth != UNKNOWN
        y, x = truth[there], score[there]
        if len(y):
            out[f"{name}_rate"] = float(y.mean())
        if 0 < y.sum() < len(y):
            out[f"{name}_auc"] = float(roc_auc_score(y, x))
            out[f"{name}_ap"] = float(average_precision_score(y, x))
        if calibration is not None and len(y):
            knots = getattr(calibration, name)
            out[f"{name}_ece_raw"] = ece(x, y)
            out[f"{name}_ece"] = ece(apply(knots, x), y)
            if name == "deliberate":
                out["deliberate_share"] = float((apply(knots, x) > calibration.deliberate_above).mean())
    if p.match[2]:
        out |= {"infonce_acc": p.match[0], "infonce_chance": p.match[1]}
    return {name: float(value) for name, value in out.items()}


def tool_losses(p: Predictions) -> Floats:
    """Cross-entropy of the tool prior on each turn (0 where no right call is known)."""
    return -(p.true_tool * np.log(np.maximum(p.tool, 1e-9))).sum(1)


def fit_calibration(p: Predictions, tools: Sequence[str], tool_marginal: Floats) -> Calibration:
    """Isotonic maps of risk and deliberation, and the threshold of deliberation with the best F1."""
    risk, deliberate = _isotonic(p.risk, p.true_risk), _isotonic(p.deliberate, p.true_deliberate)
    there = p.true_deliberate != UNKNOWN
    return Calibration(
        risk=risk,
        deliberate=deliberate,
        deliberate_above=_best_threshold(apply(deliberate, p.deliberate[there]), p.true_deliberate[there]),
        tool_marginal={name: round(float(v), 6) for name, v in zip(tools, tool_marginal, strict=True)},
        fitted_on=int((p.true_risk != UNKNOWN).sum()),
    )


def apply(knots: Knots, scores: Floats) -> Floats:
    """The calibrated scores."""
    return np.array([knots(float(s)) for s in scores], np.float64)


def reliability(scores: Floats, truth: NDArray[np.int64]) -> list[tuple[float, float, int]]:
    """(mean score, share that came true, count) of each tenth of [0, 1] that has any."""
    at = np.minimum((scores * BINS).astype(int), BINS - 1)
    bins = [at == b for b in range(BINS) if (at == b).any()]
    return [(float(scores[b].mean()), float(truth[b].mean()), int(b.sum())) for b in bins]


def ece(scores: Floats, truth: NDArray[np.int64]) -> float:
    """Expected calibration error over ten bins."""
    return sum(abs(p - y) * n for p, y, n in reliability(scores, truth)) / max(1, len(scores))


def _accuracy(probabilities: Floats, shares: Floats, rows: NDArray[np.bool_]) -> float:
    """How much of the right calls' share the first choice has."""
    best = probabilities[rows].argmax(1)
    return float(shares[rows][np.arange(len(best)), best].mean())


def _isotonic(scores: Floats, truth: NDArray[np.int64]) -> Knots:
    from sklearn.isotonic import IsotonicRegression

    there = truth != UNKNOWN
    if there.sum() < 20 or len(set(truth[there])) < 2:
        return Knots()
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores[there], truth[there])
    return knots_of(fitted.X_thresholds_, fitted.y_thresholds_)


def _best_threshold(scores: Floats, truth: NDArray[np.int64]) -> float:
    """Just below the score from which on calling it a positive gives the best F1; 0.5 if there are no positives.

    Where scores say little, F1 is best by calling everything positive, which would cost the most compute for
    nothing: the threshold is never below twice the base rate (or 0.5, if that is less).
    """
    if not truth.sum():
        return 0.5
    best, threshold = -1.0, 0.5
    for score in np.unique(scores):
        chosen = scores >= score
        f1 = 2 * (chosen & (truth == 1)).sum() / (chosen.sum() + truth.sum())
        if f1 > best:
            best, threshold = float(f1), float(score) - 1e-6
    return round(max(threshold, min(0.5, 2 * float(truth.mean()))), 6)
