"""What people read of a pool evaluation: tables in the terminal, one plot, one page."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from eval.pool_suite.figures import Estimate
from eval.report import STYLE
from hybrid_agent.runs.atomic import write_atomic, write_text

BLUE, GREY, WARN = "#3b82c4", "#9aa3ae", "#d0743c"
ORDER = (
    "random", "shortest", "most common", "medoid", "CodeT agreement", "EBM without execution", "EBM with execution",
    "oracle",
)  # fmt: skip


def print_tables(console: Console, body: dict[str, Any]) -> None:
    """The figures as tables."""
    title = f"{body['tasks']} tasks, {body['candidates']} candidates, {body['folds']}-fold by task x {body['repeats']}"
    for head, rows in _tables(body):
        table = Table(title=title)
        for i, name in enumerate(head):
            table.add_column(name, justify="right" if i else "left")
        for row in rows:
            table.add_row(*row)
        console.print(table)
        title = ""


def write_page(path: Path, body: dict[str, Any]) -> None:
    """One self-contained page; the plot lies beside it and is put in."""
    picture = base64.b64encode((path.parent / "figures.png").read_bytes()).decode()
    parts = [f"<p class=soft>{body['tasks']} tasks, {body['candidates']} candidates; {html.escape(body['pool'])}</p>"]
    for head, rows in _tables(body):
        cells = "".join(f"<th>{html.escape(h)}</th>" for h in head)
        lines = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows)
        parts.append(f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>")
    parts.append(
        f'<img alt="first choice and reliability" style="max-width:100%" src="data:image/png;base64,{picture}">'
    )
    write_text(
        path,
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pool</title>'
        f"<style>{STYLE}</style></head><body><h1>Reranking a pool of programs</h1>\n"
        + "\n".join(parts)
        + "</body></html>\n",
    )


def plot(path: Path, body: dict[str, Any]) -> None:
    """First choice with intervals, and how far probabilities can be believed."""
    from matplotlib.figure import Figure

    names = [name for name in ORDER if name in body["top_one"]]
    figures = [_estimate(body["top_one"][name]) for name in names]
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    spread = [[100 * max(0.0, f.value - f.low) for f in figures], [100 * max(0.0, f.high - f.value) for f in figures]]
    colours = [BLUE if name.startswith("EBM") else GREY for name in names]
    left.barh(names, [100 * f.value for f in figures], xerr=spread, color=colours, ecolor="#333", capsize=2)
    left.invert_yaxis()
    left.set_xlabel("first choice passes, % of tasks")
    right.plot([0, 1], [0, 1], color=GREY, linewidth=1)
    for (name, found), colour in zip(body["probability"].items(), (WARN, BLUE), strict=False):
        points = found["reliability"]
        right.plot([p for p, _, _ in points], [share for _, share, _ in points], "o-", color=colour, label=name)
    right.set_xlabel("stated probability")
    right.set_ylabel("share that passes")
    right.legend(frameon=False)
    write_atomic(path, lambda temp: figure.savefig(temp, format="png", dpi=110, metadata={"Software": None}))


def _tables(body: dict[str, Any]) -> list[tuple[Sequence[str], list[list[str]]]]:
    names = [name for name in ORDER if name in body["top_one"]]
    top = [[n, str(_estimate(body["top_one"][n])), str(_estimate(body["half_pool"][n]))] for n in names]
    gaps = [[f"{d['of']} - {d['over']}", str(_estimate(d))] for d in body["differences"]]
    chances = [
        [name, _number(p["auc"]), _number(p["auc_within_tasks"]), _number(p["ece"])]
        for name, p in body["probability"].items()
    ]
    return [
        (("choice", "first choice passes", "first of a random half"), top),
        (("paired difference", "first choice"), gaps),
        (("probability", "AUC", "AUC within tasks", "ECE"), chances),
    ]


def _estimate(record: dict[str, Any]) -> Estimate:
    return Estimate(record["value"], *record["interval"])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
