"""What hangs together."""

from __future__ import annotations

from graphlet.graph import Graph, Node
from graphlet.paths import reachable


def components(graph: Graph) -> list[set[Node]]:
    """Groups of nodes that hang together (directions are ignored), the largest first."""
    if graph.directed:
        whole = Graph()
        for node in graph:
            whole.add_node(node)
        for start, end, weight in graph.edges():
            whole.add_edge(start, end, weight)
    else:
        whole = graph
    found: list[set[Node]] = []
    seen: set[Node] = set()
    for node in whole:
        if node not in seen:
            group = set(reachable(whole, node))
            seen |= group
            found.append(group)
    return sorted(found, key=len, reverse=True)


def is_connected(graph: Graph) -> bool:
    """True if there is one component, or no node at all."""
    return len(components(graph)) <= 1


def is_bipartite(graph: Graph) -> bool:
    """True if the nodes have two sides and every edge joins the one to the other."""
    side: dict[Node, int] = {}
    for root in graph:
        if root in side:
            continue
        side[root] = 0
        stack = [root]
        while stack:
            node = stack.pop()
            for other in graph.neighbours(node):
                if other not in side:
                    side[other] = 1 - side[node]
                    stack.append(other)
                elif side[other] == side[node]:
                    return False
    return True


def bridges(graph: Graph) -> list[tuple[Node, Node]]:
    """Edges of an undirected graph without which it would fall apart."""
    entered: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    found: list[tuple[Node, Node]] = []

    def walk(node: Node, parent: Node | None) -> None:
        entered[node] = lowest[node] = len(entered)
        for other in graph.neighbours(node):
            if other == parent:
                continue
            if other in entered:
                lowest[node] = min(lowest[node], entered[other])
                continue
            walk(other, node)
            lowest[node] = min(lowest[node], lowest[other])
            if lowest[other] > entered[node]:
                found.append((node, other))

    for node in graph:
        if node not in entered:
            walk(node, None)
    return found
