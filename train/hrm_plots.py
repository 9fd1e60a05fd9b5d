"""The planner's plots: losses and figures over training, and reliability before and after calibration."""

from __future__ import annotations

from pathlib import Path

from hybrid_agent.planner.calibration import Calibration
from train.engine import METRICS, read_metrics
from train.hrm_batches import UNKNOWN
from train.hrm_eval import Predictions, apply, reliability


def plot_planner(folder: Path, predictions: Predictions, calibration: Calibration) -> list[Path]:
    """Write training.{png,svg} and reliability.{png,svg}; returns them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    entries = read_metrics(folder / METRICS)
    first, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for key in ("loss", "loss_tool", "loss_expert", "loss_risk", "loss_deliberate", "loss_infonce"):
        line = [(e["step"], e[key]) for e in entries if key in e]
        if line:
            left.plot(*zip(*line, strict=True), lw=0.8, label=key)
    left.set(xlabel="step", ylabel="training loss (nats)")
    left.legend()
    for key in ("tool_acc", "expert_acc", "risk_auc", "deliberate_ap", "infonce_acc"):
        line = [(e["step"], e[key]) for e in entries if key in e]
        if line:
            right.plot(*zip(*line, strict=True), marker="o", ms=3, label=key)
    right.set(xlabel="step", ylabel="on held-out tasks", ylim=(0, 1.02))
    right.legend()
    second, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    for axis, name in zip(axes, ("risk", "deliberate"), strict=True):
        truth, scores = getattr(predictions, f"true_{name}"), getattr(predictions, name)
        there = truth != UNKNOWN
        axis.plot([0, 1], [0, 1], color="0.7", lw=0.8)
        for label, shown in (("raw", scores[there]), ("calibrated", apply(getattr(calibration, name), scores[there]))):
            bins = reliability(shown, truth[there])
            if bins:
                axis.plot([b[0] for b in bins], [b[1] for b in bins], marker="o", ms=4, label=label)
                for p, y, n in bins if label == "calibrated" else []:
                    axis.annotate(f"{n}", (p, y), textcoords="offset points", xytext=(4, -9), fontsize=7)
        axis.set(xlabel=f"predicted: {name}", ylabel="came true", xlim=(0, 1), ylim=(0, 1))
        if len(axis.lines) > 1:
            axis.legend()
    paths = []
    for figure, name in ((first, "training"), (second, "reliability")):
        for suffix in ("png", "svg"):
            paths.append(folder / f"{name}.{suffix}")
            figure.savefig(paths[-1], dpi=110)
        plt.close(figure)
    return paths
