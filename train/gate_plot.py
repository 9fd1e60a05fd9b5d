"""The picture of a trained gate: how likely a hazard it finds the calls to deny and the calls to allow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt


def plot_gate(path: Path, held: npt.NDArray[np.float64], deny: npt.NDArray[np.bool_], threshold: float) -> None:
    """Histograms of the held-out probabilities, log scale, with the threshold."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    bins = np.linspace(0, 1, 41)
    axes.hist(held[~deny], bins=bins, alpha=0.6, label="to allow")
    axes.hist(held[deny], bins=bins, alpha=0.6, label="to deny")
    axes.axvline(threshold, color="black", linewidth=1, label=f"threshold {threshold:.2f}")
    axes.set(yscale="log", xlabel="probability of a hazard, held-out templates", ylabel="calls")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
