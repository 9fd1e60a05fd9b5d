"""Ways through a graph."""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count

from graphlet.graph import Graph, Node


def reachable(graph: Graph, start: Node, steps: int | None = None) -> dict[Node, int]:
    """Nodes that can be reached from `start`, with the least number of edges; at most `steps` of them."""
    if start not in graph:
        raise KeyError(start)
    found = {start: 0}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if steps is not None and found[node] >= steps:
            continue
        for other in graph.neighbours(node):
            if other not in found:
                found[other] = found[node] + 1
                queue.append(other)
    return found


def distances(graph: Graph, start: Node) -> dict[Node, float]:
    """Length of the shortest way from `start` to every node that can be reached."""
    return _search(graph, start)[0]


def shortest_path(graph: Graph, start: Node, end: Node) -> tuple[float, list[Node]] | None:
    """Length and nodes of the shortest way, both ends included; None if there is no way.

    Raises:
        KeyError: an end is not in the graph.
        ValueError: a weight is negative.
    """
    if end not in graph:
        raise KeyError(end)
    lengths, before = _search(graph, start)
    if end not in lengths:
        return None
    path = [end]
    while path[-1] != start:
        path.append(before[path[-1]])
    return lengths[end], path[::-1]


def eccentricity(graph: Graph, node: Node) -> float:
    """Distance to the farthest node.

    Raises:
        ValueError: some node cannot be reached.
    """
    lengths = distances(graph, node)
    if len(lengths) < len(graph):
        raise ValueError(f"not every node can be reached from {node!r}")
    return max(lengths.values())


def all_paths(graph: Graph, start: Node, end: Node, limit: int | None = None) -> list[list[Node]]:
    """Every way that visits no node twice, with at most `limit` edges."""
    found: list[list[Node]] = []

    def walk(path: list[Node]) -> None:
        if path[-1] == end:
            found.append(list(path))
            return
        if limit is not None and len(path) > limit:
            return
        for other in graph.neighbours(path[-1]):
            if other not in path:
                path.append(other)
                walk(path)
                path.pop()

    if start not in graph or end not in graph:
        raise KeyError(start if start not in graph else end)
    walk([start])
    return found


def _search(graph: Graph, start: Node) -> tuple[dict[Node, float], dict[Node, Node]]:
    """Dijkstra: lengths, and the node before each on a shortest way."""
    if start not in graph:
        raise KeyError(start)
    lengths: dict[Node, float] = {}
    before: dict[Node, Node] = {}
    best: dict[Node, float] = {start: 0.0}
    order = count()
    heap = [(0.0, next(order), start)]
    while heap:
        length, _, node = heapq.heappop(heap)
        if node in lengths:
            continue
        lengths[node] = length
        for other in graph.neighbours(node):
            weight = graph.weight(node, other)
            if weight < 0:
                raise ValueError(f"negative weight from {node!r} to {other!r}")
            longer = length + weight
            if other not in best or longer < best[other]:
                best[other] = longer
                before[other] = node
                heapq.heappush(heap, (longer, next(order), other))
    return lengths, before
