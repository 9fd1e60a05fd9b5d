"""Line plots as inline SVG, coloured by the page's style sheet, so that they follow light and dark."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_agent.runs.report.load import Points

WIDTH, HEIGHT = 480, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 10, 34
MOST = 400  # points drawn of a line; of more, the least and the greatest of each stretch
DASHES = ("", "6 3", "2 3", "8 3 2 3")
COLOURS = 8


@dataclass(frozen=True)
class Line:
    """One line: `colour` says which run it belongs to, `dash` which figure it is."""

    name: str
    points: Points
    colour: int = 0
    dash: int = 0


def chart(title: str, lines: Sequence[Line], *, log: bool = False, x: str = "step") -> str:
    """A figure with title, axes, legend; the values on demand (as the browser shows titles).

    Points that are not finite are left out, and on a logarithmic axis those that are not positive.
    """
    kept = [(line, _fit(line.points, log)) for line in lines]
    kept = [(line, points) for line, points in kept if points]
    if not kept:
        return ""
    every = [point for _, points in kept for point in points]
    low_x, high_x = min(p[0] for p in every), max(p[0] for p in every)
    low, high = min(p[1] for p in every), max(p[1] for p in every)
    ticks = log_ticks(low, high) if log else linear_ticks(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])

    def at(point: tuple[float, float]) -> tuple[float, float]:
        across = (point[0] - low_x) / (high_x - low_x) if high_x > low_x else 0.5
        return LEFT + across * (WIDTH - LEFT - RIGHT), height_of(point[1])

    def height_of(value: float) -> float:
        a, b, v = (math.log10(low), math.log10(high), math.log10(value)) if log else (low, high, value)
        up = (v - a) / (b - a) if b > a else 0.5
        return HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = []
    for tick in ticks:
        y = height_of(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in linear_ticks(low_x, high_x):
        if low_x <= tick <= high_x:
            place = at((tick, low))[0]
            parts.append(f'<text x="{place:.1f}" y="{HEIGHT - 16}" text-anchor="middle">{number(tick)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 2}" text-anchor="middle">{x}</text>')
    for line, points in kept:
        parts.append(_drawn(line, [at(point) for point in points], points))
    legend = "".join(
        f'<li><svg width="26" height="8" aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" {_style(line)}/></svg>'
        f"{html.escape(line.name)} <b>{number(points[-1][1])}</b></li>"
        for line, points in kept
    )
    shown = html.escape(title)
    return (
        f'<figure class="chart"><figcaption>{shown}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{shown}">{"".join(parts)}</svg>'
        f"<ul>{legend}</ul></figure>"
    )


def linear_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, about so many."""
    if high <= low:
        low, high = min(0.0, 2 * low), max(0.0, 2 * high) if high else 1.0
    raw = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten around the values; within few decades also their doubles and fives."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last = max(last, first + 1)
    every = [10.0**n for n in range(first, last + 1, max(1, (last - first) // 6))]
    if last - first > 2:
        return every if every[-1] >= high else [*every, 10.0**last]
    fine = sorted(m * 10.0**n for n in range(first, last + 1) for m in (1, 2, 5))
    below = max(value for value in fine if value <= low)
    above = min((value for value in fine if value >= high), default=fine[-1])
    return [value for value in fine if below <= value <= above]


def number(value: float) -> str:
    """Short: four digits, k and M for thousands and millions."""
    if value and abs(value) >= 1e6:
        return f"{value / 1e6:.4g}M"
    return f"{value / 1e3:.4g}k" if abs(value) >= 1e4 else f"{value:.4g}"


def thin(points: Points, most: int = MOST) -> Points:
    """The same line with at most about `most` points: of each stretch the least and the greatest, in order."""
    if len(points) <= most:
        return list(points)
    out: Points = []
    stretches = most // 2
    for n in range(stretches):
        part = points[n * len(points) // stretches : (n + 1) * len(points) // stretches]
        low, high = min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])
        out += sorted({low, high})
    return out if out[-1] == points[-1] else [*out, points[-1]]


def _fit(points: Points, log: bool) -> Points:
    return thin([p for p in points if math.isfinite(p[0]) and math.isfinite(p[1]) and (p[1] > 0 or not log)])


def _drawn(line: Line, places: Sequence[tuple[float, float]], points: Points) -> str:
    title = f"<title>{html.escape(line.name)}: {number(points[-1][1])} at {number(points[-1][0])}</title>"
    if len(places) == 1:
        (x, y), colour = places[0], line.colour % COLOURS
        return f'<circle class="line" cx="{x:.1f}" cy="{y:.1f}" r="4" style="fill:var(--c{colour})">{title}</circle>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline class="line" points="{path}" {_style(line)}>{title}</polyline>'


def _style(line: Line) -> str:
    dash = DASHES[line.dash % len(DASHES)]
    more = f";stroke-dasharray:{dash.replace(' ', ',')}" if dash else ""
    return f'style="stroke:var(--c{line.colour % COLOURS}){more}"'
