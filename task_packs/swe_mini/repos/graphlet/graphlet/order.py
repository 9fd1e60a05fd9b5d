"""Orders of directed graphs."""

from __future__ import annotations

import heapq

from graphlet.graph import Graph, Node


class CycleError(Exception):
    """The graph has a cycle; `cycle` are its nodes, the first one again at the end."""

    def __init__(self, cycle: list[Node]) -> None:
        super().__init__(" -> ".join(str(node) for node in cycle))
        self.cycle = cycle


def topological_order(graph: Graph) -> list[Node]:
    """Every node before those that its edges lead to; of several, the smallest (as text) first.

    Raises:
        CycleError: there is no such order.
    """
    waiting = {node: graph.in_degree(node) for node in graph}
    ready = [(str(node), node) for node, number in waiting.items() if number == 0]
    heapq.heapify(ready)
    done: list[Node] = []
    while ready:
        node = heapq.heappop(ready)[1]
        done.append(node)
        for other in graph.neighbours(node):
            waiting[other] -= 1
            if waiting[other] == 0:
                heapq.heappush(ready, (str(other), other))
    if len(done) < len(graph):
        raise CycleError(find_cycle(graph) or [])
    return done


def find_cycle(graph: Graph) -> list[Node] | None:
    """Nodes of some cycle of a directed graph, the first one again at the end; None if there is none."""
    finished: set[Node] = set()
    path: list[Node] = []

    def walk(node: Node) -> list[Node] | None:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in finished:
            return None
        path.append(node)
        for other in graph.neighbours(node):
            cycle = walk(other)
            if cycle is not None:
                return cycle
        path.pop()
        finished.add(node)
        return None

    for node in graph:
        cycle = walk(node)
        if cycle is not None:
            return cycle
    return None


def layers(graph: Graph) -> list[list[Node]]:
    """Groups that can be done at the same time: a node stands one group after the last it depends on.

    Raises:
        CycleError: there is no order.
    """
    level: dict[Node, int] = {}
    for node in topological_order(graph):
        level.setdefault(node, 0)
        for other in graph.neighbours(node):
            level[other] = max(level.get(other, 0), level[node] + 1)
    groups: list[list[Node]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for node, number in level.items():
        groups[number].append(node)
    return [sorted(group, key=str) for group in groups]
