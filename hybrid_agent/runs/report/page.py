"""The page: nothing in it is loaded from elsewhere, and it runs no script."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

from hybrid_agent.runs.report.chart import Line, chart, number
from hybrid_agent.runs.report.load import Run
from hybrid_agent.runs.tracking.backend import Cell
from hybrid_agent.runs.tracking.panels import SECTIONS, Panel

LONGEST = 2000  # characters shown of one cell
LARGEST = 2_000_000  # bytes of a plot that is embedded
STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--card:#f6f7f9;--soft:#59616b;--line:#d9dde3;
--c0:#0b64b0;--c1:#c2410c;--c2:#0f7b52;--c3:#8a3ab9;--c4:#b3003b;--c5:#7a5c00;--c6:#00707d;--c7:#5b5f66}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--paper:#15181c;--card:#1d2126;--soft:#9aa3ae;--line:#343a42;
--c0:#6cb2f5;--c1:#f59e5b;--c2:#4fd1a0;--c3:#c792ea;--c4:#ff7a9c;--c5:#e0c04c;--c6:#5cd3e0;--c7:#b6bcc4}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1100px;margin:2rem auto;
padding:0 1rem}h1{font-size:1.6rem}h2{margin-top:2.2rem;border-bottom:1px solid var(--line)}h3{margin-bottom:.2rem}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.6rem 0;font-size:14px}
th,td{text-align:left;padding:.25rem .7rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n{font-variant-numeric:tabular-nums}tr.same td{color:var(--soft)}td.text{max-width:34rem;white-space:pre-wrap;
overflow-wrap:anywhere;font:13px/1.4 ui-monospace,monospace}
.soft{color:var(--soft)}.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:1rem}
.chart{margin:0;background:var(--card);padding:.7rem;border-radius:8px}.chart figcaption{font-weight:600}
.chart svg{width:100%;height:auto}.chart text{font-size:13px;fill:var(--soft)}.chart .grid{stroke:var(--line)}
.chart polyline{fill:none;stroke-width:1.6}.chart ul{list-style:none;padding:0;margin:.2rem 0 0;font-size:13px}
.chart ul svg{width:26px;height:8px;margin-right:.4rem}.chart ul line{stroke-width:2}
details{margin:.6rem 0}summary{cursor:pointer}img{max-width:100%;height:auto;background:#fff;border-radius:8px}
"""


def page(runs: Sequence[Run]) -> str:
    """The HTML of a report on these runs."""
    title = runs[0].label if len(runs) == 1 else f"{len(runs)} runs compared"
    body = "\n".join(
        [
            f"<h1>{html.escape(title)}</h1>",
            _overview(runs),
            _figures(runs),
            _charts(runs),
            *(_samples(run, len(runs) > 1) for run in runs),
            *(_plots(run, len(runs) > 1) for run in runs),
            _lineage(runs),
            _settings(runs),
        ]
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _overview(runs: Sequence[Run]) -> str:
    rows: list[list[Cell]] = []
    for run in runs:
        manifest = run.manifest
        if manifest is None:
            rows.append([run.label, "not finished", None, None, None, str(run.folder)])
            continue
        commit = (manifest.git_sha or "")[:10] + (", with changes" if manifest.git_dirty else "")
        rows.append([run.label, "finished", manifest.seed, commit, manifest.command, str(run.folder)])
    return table(["run", "state", "seed", "commit", "command", "directory"], rows)


def _figures(runs: Sequence[Run]) -> str:
    """Final figures; a row that is the same everywhere is soft when runs are compared."""
    names = list(dict.fromkeys(name for run in runs for name in run.figures))
    rows = [[name, *(run.figures.get(name) for run in runs)] for name in names]
    same = [len(runs) > 1 and len({str(cell) for cell in row[1:]}) == 1 for row in rows]
    shown = table(["figure", *(run.label for run in runs)], rows, soft=same)
    return f"<h2>Figures</h2>{_folded(shown, len(rows), 'figures')}" if rows else ""


def _charts(runs: Sequence[Run]) -> str:
    names = list(dict.fromkeys(name for run in runs for name in run.series))
    left = set(names)
    out = []
    for section, panels in SECTIONS.items():
        drawn = []
        for panel in panels:
            wanted = [name for name in names if panel.shows(name)]
            left -= set(wanted)
            drawn.append(_panel(panel, wanted, runs))
        out.append(_section(section, drawn))
    others = [_panel(Panel(name, (name,)), [name], runs) for name in names if name in left]
    out.append(_section("Other figures over steps", others))
    return "\n".join(part for part in out if part)


def _section(title: str, charts: Iterable[str]) -> str:
    found = "".join(charts)
    return f'<h2>{html.escape(title)}</h2><div class="charts">{found}</div>' if found else ""


def _panel(panel: Panel, names: Sequence[str], runs: Sequence[Run]) -> str:
    """One run: a colour for each figure; several: a colour for each run, a dash for each figure."""
    lines = []
    for at, run in enumerate(runs):
        for number_, name in enumerate(names):
            if name not in run.series:
                continue
            if len(runs) == 1:
                lines.append(Line(name, run.series[name], colour=number_))
            else:
                label = run.label if len(names) == 1 else f"{run.label} {name}"
                lines.append(Line(label, run.series[name], colour=at, dash=number_))
    return chart(panel.title, lines, log=panel.log)


def _samples(run: Run, many: bool) -> str:
    out = []
    for found in run.tables:
        name = f"{found.name} of {run.label}" if many else found.name
        shown = table(found.columns, found.rows)
        out.append(f"<h2>Table: {html.escape(name)}</h2>{_folded(shown, len(found.rows), 'rows')}")
    return "\n".join(out)


def _plots(run: Run, many: bool) -> str:
    out = []
    for path in run.plots:
        if path.stat().st_size <= LARGEST:
            data = base64.b64encode(path.read_bytes()).decode()
            out.append(f'<p><img alt="{html.escape(path.stem)}" src="data:image/png;base64,{data}"></p>')
    title = f"Plots of {html.escape(run.label)}" if many else "Plots of the stage"
    return f"<h2>{title}</h2>{''.join(out)}" if out else ""


def _lineage(runs: Sequence[Run]) -> str:
    rows = [[run.label, parent.role, parent.digest[:12], parent.where] for run in runs for parent in run.parents]
    return f"<h2>Made from</h2>{table(['run', 'parent', 'hash', 'where'], rows)}" if rows else ""


def _settings(runs: Sequence[Run]) -> str:
    """All settings; where runs are compared, first those that differ."""
    names = list(dict.fromkeys(name for run in runs for name in run.config))
    rows = [[name, *(run.config.get(name) for run in runs)] for name in names]
    if not rows:
        return ""
    head = ["setting", *(run.label for run in runs)]
    apart = [row for row in rows if len({str(cell) for cell in row[1:]}) > 1]
    first = f"<h3>That differ</h3>{table(head, apart)}" if apart else ""
    every = f"<details><summary>all {len(rows)} settings</summary>{table(head, rows)}</details>"
    return f"<h2>Settings</h2>{first}{every}"


def _folded(shown: str, count: int, what: str) -> str:
    """Open while it is short."""
    return f"<details{' open' if count <= 40 else ''}><summary>{count} {what}</summary>{shown}</details>"


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]], soft: Sequence[bool] = ()) -> str:
    """A table; long and many-lined cells keep their lines."""
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = []
    for place, row in enumerate(rows):
        mark = ' class="same"' if place < len(soft) and soft[place] else ""
        body.append(f"<tr{mark}>{''.join(map(_cell, row))}</tr>")
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def _cell(value: Cell) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, bool):
        return f"<td>{'yes' if value else 'no'}</td>"
    if isinstance(value, int | float):
        return f'<td class="n">{value if isinstance(value, int) else number(value)}</td>'
    text = value if len(value) <= LONGEST else value[:LONGEST] + " …"
    return f"<td{' class=text' if len(text) > 60 or chr(10) in text else ''}>{html.escape(text)}</td>"
