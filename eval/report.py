"""The HTML report of an evaluation: one file, nothing loaded from elsewhere, light and dark."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.metrics import grouped, summarize
from eval.result import TaskResult
from eval.table import facts
from hybrid_agent.runs.atomic import write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#010203"  # drawn as the page's own text colour
BAR, WARN = "#3b82c4", "#d0743c"

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#6b7280;--line:#d9dde3}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--paper:#15181c;--soft:#9aa3ae;--line:#343a42}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1000px;margin:2rem auto;
padding:0 1rem}table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{text-align:left;padding:.3rem .6rem;
border-bottom:1px solid var(--line);vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}.soft{color:var(--soft)}svg{max-width:100%;height:auto;
color:var(--ink)}details{margin:.5rem 0}h2{margin-top:2rem}
"""


def write_report(path: Path, results: Sequence[TaskResult], *, title: str) -> None:
    """Write the report atomically."""
    summary = summarize(results)
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p class=soft>{summary.success.n} tasks judged, {summary.infra} masked</p>",
        _table(["figure", "value"], [[name, value] for name, value in facts(summary)]),
        "<h2>By split</h2>",
        _groups(grouped(results, lambda r: r.split), "split"),
        _figure(grouped(results, lambda r: r.split), "Success by split, 95 % intervals"),
        "<h2>By family</h2>",
        _groups(grouped(results, lambda r: r.family), "family"),
        _figure(grouped(results, lambda r: r.family), "Success by family, 95 % intervals"),
        "<h2>Time and length</h2>",
        _times(results),
        "<h2>Failures</h2>",
        _failures(results),
    ]
    body = "\n".join(parts)
    write_text(
        path,
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>\n{body}\n</body></html>\n",
    )


def _groups(groups: dict[str, list[TaskResult]], name: str) -> str:
    rows = []
    for key, found in groups.items():
        s = summarize(found)
        rows.append(
            [key, str(s.success), str(s.success.n), f"{s.turns:.1f}", f"{s.tokens:.0f}", str(s.denied),
             str(s.destructive_outside), f"{s.episode_p50:.0f}", f"{s.episode_p95:.0f}"]
        )  # fmt: skip
    return _table([name, "success", "n", "calls", "tokens", "denied", "destructive outside", "p50 ms", "p95 ms"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if i else ''}>{html.escape(value)}</{tag}>" for i, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"


def _failures(results: Sequence[TaskResult]) -> str:
    broken = [r for r in results if not r.success]
    if not broken:
        return "<p>None.</p>"
    out = []
    for r in broken:
        reasons = "".join(
            f"<li><code>{html.escape(c.check)}</code><br>{html.escape(c.detail)}</li>" for c in r.failed_checks
        )
        state = "masked: " + r.summary if r.infra else f"{r.status}{', said done' if r.verified else ''}; {r.summary}"
        out.append(
            f"<details><summary><code>{html.escape(r.task_id)}</code> {html.escape(r.goal)}</summary>"
            f"<p class=soft>{html.escape(r.family)}; {html.escape(state)}; trace: {html.escape(r.trace) or 'none'}</p>"
            f"<ul>{reasons}</ul></details>"
        )
    return "\n".join(out)


def _figure(groups: dict[str, list[TaskResult]], title: str) -> str:
    names = [name for name, found in groups.items() if summarize(found).success.n]
    if not names:
        return ""
    rates = [summarize(groups[name]).success for name in names]

    def draw(axes: Axes) -> None:
        values = [100 * rate.value for rate in rates]
        low = [max(0.0, 100 * (rate.value - rate.interval[0])) for rate in rates]  # rounding may go below zero
        high = [max(0.0, 100 * (rate.interval[1] - rate.value)) for rate in rates]
        axes.barh(names, values, xerr=[low, high], color=BAR, ecolor=INK, capsize=2)
        axes.invert_yaxis()
        axes.set_xlim(0, 100)
        axes.set_xlabel("success, %")
        axes.set_title(title)

    return _svg(draw, (8.0, 0.9 + 0.28 * len(names)))


def _times(results: Sequence[TaskResult]) -> str:
    counted = [r for r in results if not r.infra]
    if not counted:
        return "<p>Nothing to show.</p>"

    def episodes(axes: Axes) -> None:
        axes.hist([r.episode_ms / 1e3 for r in counted], bins=30, color=BAR)
        axes.set_xlabel("seconds per episode")
        axes.set_ylabel("episodes")

    def lengths(axes: Axes) -> None:
        top = max(r.turns for r in counted) + 1
        good = [r.turns for r in counted if r.success]
        bad = [r.turns for r in counted if not r.success]
        axes.hist([good, bad], bins=range(top + 1), stacked=True, color=[BAR, WARN], label=["solved", "not solved"])
        axes.set_xlabel("calls per episode")
        axes.set_ylabel("episodes")
        axes.legend(frameon=False, labelcolor=INK)

    return _svg(episodes, (8.0, 2.6)) + _svg(lengths, (8.0, 2.6))


def _svg(draw: Any, size: tuple[float, float]) -> str:
    """An inline SVG whose black is the page's text colour."""
    import matplotlib
    from matplotlib.figure import Figure

    ink = {key: INK for key in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")}
    look = {**ink, "svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "report", "axes.spines.top": False}
    with matplotlib.rc_context({**look, "axes.spines.right": False}):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        draw(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :].replace(INK, "currentColor")
