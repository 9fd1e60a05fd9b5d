"""The report of an attempt: who writes which slice how well, on held-out sequences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from transformers import LlamaForCausalLM

from hybrid_agent.nn.adapters import read_adapter
from hybrid_agent.traces.domains import EXPERTS
from train.aoe_answers import Scores, compare, routed
from train.aoe_held import Held
from train.engine import METRICS, read_metrics

ALL = "all"


def score_systems(
    base: LlamaForCausalLM, adapters: Mapping[str, Path], experts: list[str], held: Held, seed: int
) -> dict[str, Scores]:
    """Score on the test half: the base, each adapter alone, and the experts routed by the truth and at random."""
    systems = {"base": held.score(base, None, held.test)}
    for name, folder in adapters.items():
        systems[name] = held.score(base, read_adapter(folder), held.test)
    by_expert = [systems[name] if name in experts else systems["base"] for name in EXPERTS]
    truth = held.experts(held.test)
    systems["oracle-routed"] = routed(by_expert, truth)
    systems["random-routed"] = routed(
        by_expert, np.random.default_rng([seed, 29]).integers(0, len(EXPERTS), len(truth))
    )
    return systems


def make_report(systems: Mapping[str, Scores], held: Held, seed: int) -> dict[str, Any]:
    """Figures a system and slice; each system against the base and the routed experts against the alternatives."""
    owner, group = held.experts(held.test), held.groups(held.test)
    slices = {ALL: np.ones(len(owner), bool)}
    slices |= {name: owner == i for i, name in enumerate(EXPERTS) if (owner == i).any()}
    figures = {
        name: {part: rounded(scores.only(chosen).figures()) for part, chosen in slices.items()}
        for name, scores in systems.items()
    }
    against = {
        name: {
            part: compare(scores.only(chosen), systems["base"].only(chosen), group[chosen], seed).as_json()
            for part, chosen in slices.items()
        }
        for name, scores in systems.items()
        if name != "base"
    }
    oracle = {
        name: compare(systems["oracle-routed"], systems[name], group, seed).as_json()
        for name in ("random-routed", "generalist", "multitask", "distilled")
        if name in systems
    }
    return {"held_out": held.source, "figures": figures, "against_base": against, "oracle_routed_against": oracle}


def rounded(figures: Mapping[str, float]) -> dict[str, float]:
    """Six digits are plenty."""
    return {key: round(value, 6) for key, value in figures.items()}


def print_report(report: Mapping[str, Any], console: Console) -> None:
    """The table people look at: exact calls in percent, and against the base with its interval."""
    figures = report["figures"]
    slices = list(figures["base"])
    table = Table(title=f"exact calls, % ({report['held_out']})", box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for head in ("", *slices, "all against base"):
        table.add_column(head, no_wrap=head in ("", "all against base"))
    for name, by_slice in figures.items():
        cells = [f"{100 * by_slice[part]['exact']:.1f}" for part in slices]
        test = report["against_base"].get(name, {}).get(ALL)
        gain = (
            "{:+.1f} ({:+.1f}, {:+.1f})".format(*(100 * test[key] for key in ("gain", "low", "high"))) if test else ""
        )
        table.add_row(name, *cells, gain)
    console.print(table)


def plot_report(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw gains over the base a slice and the losses of all trainings; returns the files."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    names = [
        n
        for n in ("generalist", "oracle-routed", "random-routed", "multitask", "distilled")
        if n in report["against_base"]
    ]
    slices = list(report["figures"]["base"])
    for place, name in enumerate(names):
        tests = [report["against_base"][name][part] for part in slices]
        at = np.arange(len(slices)) + 0.8 * (place / len(names) - 0.4)
        gain = 100 * np.array([t["gain"] for t in tests])
        spread = np.abs(100 * np.array([[t["low"] for t in tests], [t["high"] for t in tests]]) - gain)
        left.errorbar(at, gain, spread, fmt="o", ms=4, capsize=2, label=name)
    left.axhline(0, color="black", lw=0.6)
    left.set(xticks=range(len(slices)), xticklabels=slices, ylabel="exact calls against the base, points (95 %)")
    left.legend(fontsize=8)
    for path in sorted(folder.glob(f"work/*/{METRICS}")):
        entries = [e for e in read_metrics(path) if "loss" in e]
        right.plot([e["step"] for e in entries], [e["loss"] for e in entries], lw=0.9, label=path.parent.name)
    right.set(xlabel="step", ylabel="training loss (nats per token)", yscale="log")
    right.legend(fontsize=8)
    paths = [folder / "experts.png", folder / "experts.svg"]
    for path in paths:
        figure.savefig(path, dpi=120)
    plt.close(figure)
    return paths
