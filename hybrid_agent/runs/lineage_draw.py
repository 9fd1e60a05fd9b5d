"""A lineage as text for a terminal, as DOT for graphviz, and as an SVG of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape

from hybrid_agent.runs.lineage import SHORT, Lineage, Node

COLOURS = {"ok": "#2f855a", "changed": "#c53030", "missing": "#8a8f98"}
BOX_W, BOX_H, GAP_X, GAP_Y, MARGIN = 250, 58, 40, 70, 20
ABOVE, WIDE = "see above", 180


def as_text(lineage: Lineage) -> str:
    """A tree, the asked-for node first, parents below their children; what was shown before is not shown again."""
    root = lineage.nodes[0]
    shown: set[str] = set()
    return "\n".join(_branch(lineage, root, "", "", "", shown))


def _branch(lineage: Lineage, node: Node, role: str, lead: str, below: str, shown: set[str]) -> Iterator[str]:
    label = f"{role}: " if role and role != node.name else ""
    place = f"  {node.where}" if node.where else ""
    known = node.id in shown
    yield f"{lead}{label}{_title(node)}{f'  ({ABOVE})' if known else place}"
    if known:
        return
    shown.add(node.id)
    parents = lineage.parents(node.id)
    bar = "│ " if parents else "  "
    if node.note:
        yield f"{below}{bar}! {node.note}"
    for key, value in node.facts.items():
        if value not in ("", None):
            yield _fit(f"{below}{bar}{key}: {value}", WIDE)
    for number, (name, parent) in enumerate(parents, 1):
        last = number == len(parents)
        yield from _branch(
            lineage, parent, name, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), shown
        )


def _title(node: Node) -> str:
    return f"{_name(node)} [{_short(node)}] {node.state}"


def _name(node: Node) -> str:
    return node.name if node.name.startswith(node.kind) else f"{node.kind} {node.name}"


def _short(node: Node) -> str:
    return node.id[:SHORT] if "/" not in node.id else "no hash"


def as_dot(lineage: Lineage) -> str:
    """For `dot -Tsvg`; arrows go from parent to child."""
    lines = ["digraph lineage {", "  rankdir=BT;", '  node [shape=box, fontname="sans-serif"];']
    for node in lineage.nodes:
        label = "\n".join([_name(node), f"{_short(node)} {node.state}", node.note]).strip()
        style = ', style="dashed"' if node.state == "missing" else ""
        lines.append(f'  {_quoted(node.id)} [label={_quoted(label)}, color="{COLOURS[node.state]}"{style}];')
    lines += [
        f"  {_quoted(edge.parent)} -> {_quoted(edge.child)} [label={_quoted(edge.role)}];" for edge in lineage.edges
    ]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def as_svg(lineage: Lineage) -> str:
    """One row for each generation, the asked-for node on top; needs no other program."""
    level = _levels(lineage)
    rows: dict[int, list[Node]] = {}
    for node in lineage.nodes:
        rows.setdefault(level[node.id], []).append(node)
    widest = max(len(row) for row in rows.values())
    width = 2 * MARGIN + widest * (BOX_W + GAP_X) - GAP_X
    height = 2 * MARGIN + len(rows) * (BOX_H + GAP_Y) - GAP_Y
    at: dict[str, tuple[float, float]] = {}
    for number, row in rows.items():
        left = (width - (len(row) * (BOX_W + GAP_X) - GAP_X)) / 2
        for column, node in enumerate(row):
            at[node.id] = (left + column * (BOX_W + GAP_X), MARGIN + number * (BOX_H + GAP_Y))
    lines = [_arrow(at[edge.parent], at[edge.child], edge.role) for edge in lineage.edges]
    boxes = [_box(node, *at[node.id]) for node in lineage.nodes]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return "\n".join([f'{head} font-family="sans-serif" font-size="12">', *lines, *boxes, "</svg>"])


def _levels(lineage: Lineage) -> dict[str, int]:
    """The longest way from the asked-for node to each (the chain has no circles: a hash cannot hold itself)."""
    level = {node.id: 0 for node in lineage.nodes}
    for _ in lineage.nodes:
        moved = False
        for edge in lineage.edges:
            if level[edge.parent] <= level[edge.child] < len(level):
                level[edge.parent], moved = level[edge.child] + 1, True
        if not moved:
            break
    order = {value: number for number, value in enumerate(sorted(set(level.values())))}
    return {node: order[value] for node, value in level.items()}


def _arrow(parent: tuple[float, float], child: tuple[float, float], role: str) -> str:
    x1, y1, x2, y2 = parent[0] + BOX_W / 2, parent[1], child[0] + BOX_W / 2, child[1] + BOX_H
    line = f'<path d="M{x1:g},{y1:g} L{x2:g},{y2:g}" stroke="#8a8f98" fill="none"/>'
    x, y = x1 + (x2 - x1) * 0.3, y1 + (y2 - y1) * 0.3
    return line + f'<text x="{x + 4:g}" y="{y:g}" fill="#6b7280">{escape(role)}</text>'


def _box(node: Node, x: float, y: float) -> str:
    colour = COLOURS[node.state]
    dash = ' stroke-dasharray="5 4"' if node.state == "missing" else ""
    box = f'<rect x="{x:g}" y="{y:g}" width="{BOX_W}" height="{BOX_H}" rx="6" fill="white" stroke="{colour}"{dash}/>'
    hover = "\n".join([node.where or "", node.note, *(f"{key}: {value}" for key, value in node.facts.items())]).strip()
    lines = [_name(node), f"{_short(node)} {node.state}"]
    texts = "".join(
        f'<text x="{x + 10:g}" y="{y + 23 + 19 * n:g}" fill="{colour if n else "#1b1f24"}">{escape(_fit(line))}</text>'
        for n, line in enumerate(lines)
    )
    return f"<g><title>{escape(hover)}</title>{box}{texts}</g>"


def _fit(text: str, most: int = 36) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
