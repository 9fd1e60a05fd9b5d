"""Graphs as text."""

from __future__ import annotations

from graphlet.graph import Graph


def parse_edges(text: str, directed: bool = False) -> Graph:
    """Read lines "start end [weight]"; a line of one word is a node. "#" begins a comment.

    Raises:
        ValueError: a line is neither; the message has its number.
    """
    graph = Graph(directed)
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) == 1:
            graph.add_node(words[0])
        elif len(words) == 2:
            graph.add_edge(words[0], words[1])
        elif len(words) == 3:
            try:
                weight = float(words[2])
            except ValueError:
                raise ValueError(f"line {number}: {words[2]!r} is not a weight") from None
            graph.add_edge(words[0], words[1], weight)
        else:
            raise ValueError(f"line {number}: too many words")
    return graph


def to_dot(graph: Graph, name: str = "g") -> str:
    """The graph in Graphviz's language; weights of 1 are left out."""
    kind, arrow = ("digraph", "->") if graph.directed else ("graph", "--")
    lines = [f"{kind} {name} {{"]
    joined = {node for start, end, _ in graph.edges() for node in (start, end)}
    for node in graph:
        if node not in joined:
            lines.append(f'  "{node}";')
    for start, end, weight in graph.edges():
        label = "" if weight == 1 else f" [label={weight:g}]"
        lines.append(f'  "{start}" {arrow} "{end}"{label};')
    return "\n".join([*lines, "}"])
