"""Tables and plot of an ablation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from eval.ablation import Row, points
from eval.intervals import Estimate

if TYPE_CHECKING:
    from eval.ablate import Ablation

TITLES = {
    "tokens": "tokens an episode",
    "forwards": "forwards an episode",
    "p50": "ms a segment, p50",
    "p95": "ms a segment, p95",
}


def show(done: Ablation, console: Console) -> None:
    """All splits first, then each; every figure with its 95 % interval, and the paired difference to full."""
    for split, rows in done.rows.items():
        if not rows:
            continue
        console.print(f"\n{done.config.suite.name} {split}: {rows[0].tasks} tasks, {rows[0].seeds} seeds")
        table = _table("variant", "success % [95 %]", "against full, points", "K")
        for row in rows:
            success = row.figures["success"]
            share = f"{100 * success.value:.1f} [{100 * success.low:.1f}, {100 * success.high:.1f}]"
            gap = points(row.against["success"]) if row.against else ""
            table.add_row(row.name, share, gap, f"{row.figures['k'].value:.2f}")
        console.print(table)
        for key, title in TITLES.items():
            table = _table(title, "[95 %]", "against full")
            for row in rows:
                table.add_row(row.name, _plain(row.figures[key]), _plain(row.against[key], "+") if row.against else "")
            console.print(table)
        for row in rows:
            if row.note:
                console.print(f"{row.name}: {row.note}", soft_wrap=True)
        for gain in done.gains[split]:
            console.print(str(gain), soft_wrap=True)


def plot(path: Path, rows: Sequence[Row], title: str) -> None:
    """Success over decoder tokens, with intervals in both directions."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
    for row in rows:
        if row.note.startswith("same as"):
            continue
        x, y = row.figures["tokens"], row.figures["success"]
        marker = "*" if row.name == "full" else "o" if row.against and row.name.startswith(("no_", "fixed")) else "s"
        axes.errorbar(
            x.value,
            100 * y.value,
            xerr=[[max(0.0, x.value - x.low)], [max(0.0, x.high - x.value)]],
            yerr=[[max(0.0, 100 * (y.value - y.low))], [max(0.0, 100 * (y.high - y.value))]],
            marker=marker,
            markersize=14 if row.name == "full" else 7,
            capsize=2,
            elinewidth=0.7,
            linestyle="",
            label=row.name,
        )
    axes.set(xlabel="decoder tokens an episode", ylabel="success, %", title=title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _plain(value: Estimate, sign: str = "") -> str:
    return f"{value.value:{sign}.0f} [{value.low:{sign}.0f}, {value.high:{sign}.0f}]"


def _table(*columns: str) -> Table:
    table = Table(*columns, box=None, pad_edge=False)
    for column in table.columns:
        column.no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    return table
