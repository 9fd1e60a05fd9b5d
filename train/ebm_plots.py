"""Plots of an energy model: its training, and how far its probabilities can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from train.ebm_metrics import wilson
from train.engine import METRICS, read_metrics


def plot_ebm_training(folder: Path) -> list[Path]:
    """Loss and validation AUC over tokens: loss.png and loss.svg."""
    plt = _pyplot()
    entries = read_metrics(folder / METRICS)
    train = [(e["step"], e["loss"]) for e in entries if "loss" in e]
    val = [(e["step"], e["val_loss"]) for e in entries if "val_loss" in e]
    area = [(e["step"], e["auc"]) for e in entries if "auc" in e]
    figure, left = plt.subplots(figsize=(8, 4.5), layout="constrained")
    left.plot(*zip(*train, strict=True), lw=0.8, alpha=0.7, label="training loss") if train else None
    left.plot(*zip(*val, strict=True), marker="o", ms=3, label="validation loss") if val else None
    left.set(xlabel="step", ylabel="loss")
    left.legend(loc="upper center")
    if area:
        right = left.twinx()
        right.plot(*zip(*area, strict=True), color="tab:green", marker="s", ms=3)
        right.set(ylabel="validation AUC (green)", ylim=(0.5, 1))
    return _save(plt, figure, folder, "loss")


def plot_reliability(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """One reliability diagram a head, with 95 % intervals: reliability-HEAD.png and .svg."""
    plt = _pyplot()
    written: list[Path] = []
    for name, head in report["heads"].items():
        figure, axes = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
        axes.plot([0, 1], [0, 1], color="grey", lw=0.8)
        for mean, share, size in head["bins"]:
            low, high = wilson(round(share * size), size)
            spread = [[max(0.0, share - low)], [max(0.0, high - share)]]
            axes.errorbar(mean, share, yerr=spread, fmt="o", ms=4, lw=1, color="tab:blue")
        title = f"{name}: ECE {head['ece']:.3f}, {head['own_count']:,} candidates"
        axes.set(xlabel="calibrated probability to pass", ylabel="share that passed", title=title)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        written += _save(plt, figure, folder, f"reliability-{name}")
    return written


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def _save(plt: Any, figure: Any, folder: Path, name: str) -> list[Path]:
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    for path in paths:
        figure.savefig(path, dpi=120)
    plt.close(figure)
    return paths
