"""The loss plot of a run."""

from __future__ import annotations

from pathlib import Path

from train.engine import METRICS, read_metrics


def plot_training(folder: Path) -> list[Path]:
    """Draw loss and exact match over tokens; writes loss.png and loss.svg, returns them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    entries = read_metrics(folder / METRICS)
    train = [(e["tokens"] / 1e6, e["loss"]) for e in entries if "loss" in e]
    val = [(e["tokens"] / 1e6, e["val_loss"]) for e in entries if "val_loss" in e]
    exact = [(e["tokens"] / 1e6, e["exact"]) for e in entries if "exact" in e]
    figure, left = plt.subplots(figsize=(8, 4.5), layout="constrained")
    left.plot(*zip(*train, strict=True), lw=0.8, alpha=0.7, label="training loss") if train else None
    left.plot(*zip(*val, strict=True), marker="o", ms=3, label="validation loss") if val else None
    left.set(xlabel="million tokens", ylabel="loss (nats per answer token)", yscale="log")
    left.legend(loc="upper center")
    if exact:
        right = left.twinx()
        right.plot(*zip(*exact, strict=True), color="tab:green", marker="s", ms=3)
        right.set(ylabel="exact calls (green)", ylim=(0, 1))
    paths = [folder / "loss.png", folder / "loss.svg"]
    for path in paths:
        figure.savefig(path, dpi=120)
    plt.close(figure)
    return paths
