"""The plot of a run: reward, pass rate, KL, entropy and clip share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from train.engine import METRICS, read_metrics
from train.rl.phases import PhaseReport


def plot_rl(folder: Path, reports: Sequence[PhaseReport]) -> list[Path]:
    """Writes rl.png and rl.svg; returns them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    entries = [e for e in read_metrics(folder / METRICS) if "kl" in e]
    phases = [report.phase + 1 for report in reports]
    figure, axes = plt.subplots(2, 3, figsize=(12, 6), layout="constrained")
    panels = axes.flat
    panels[0].plot(phases, [r.reward for r in reports], marker="o")
    panels[0].set(xlabel="phase", ylabel="mean reward of a try")
    panels[1].plot(phases, [r.pass_rate for r in reports], marker="o", label="sampled")
    panels[1].plot(phases, [r.greedy for r in reports], marker="s", label="greedy")
    panels[1].set(xlabel="phase", ylabel="pass rate (training tasks)", ylim=(0, 1))
    panels[1].legend()
    panels[2].plot(phases, [r.agreement.gap for r in reports], marker="o")
    panels[2].set(xlabel="phase", ylabel="own passes that fail the held-out check", ylim=(0, None))
    curves = (("kl", "KL to the first decoder (nats a choice)"), ("entropy", "entropy (nats)"), ("clipped", "clipped"))
    for panel, (name, label) in zip(list(panels)[3:], curves, strict=True):
        panel.plot([e["step"] for e in entries], [e[name] for e in entries], lw=0.9)
        panel.set(xlabel="update", ylabel=label)
    paths = [folder / "rl.png", folder / "rl.svg"]
    for path in paths:
        figure.savefig(path, dpi=110)
    plt.close(figure)
    return paths
