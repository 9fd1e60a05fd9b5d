"""The graph itself."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

Node = Hashable


class Graph:
    """Nodes and weighted edges; at most one edge from a node to another."""

    def __init__(self, directed: bool = False) -> None:
        self.directed = directed
        self._edges: dict[Node, dict[Node, float]] = {}

    def __contains__(self, node: Node) -> bool:
        return node in self._edges

    def __len__(self) -> int:
        return len(self._edges)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._edges)

    def add_node(self, node: Node) -> None:
        """Add a node; one that is there keeps its edges."""
        self._edges.setdefault(node, {})

    def add_edge(self, start: Node, end: Node, weight: float | None = None) -> None:
        """Add an edge (and its nodes), or change its weight. Without a weight it is 1."""
        if weight is None:
            weight = 1.0
        self.add_node(start)
        self.add_node(end)
        self._edges[start][end] = weight
        if not self.directed:
            self._edges[end][start] = weight

    def remove_edge(self, start: Node, end: Node) -> None:
        """Remove an edge.

        Raises:
            KeyError: there is none.
        """
        del self._edges[start][end]
        if not self.directed and start != end:
            del self._edges[end][start]

    def remove_node(self, node: Node) -> None:
        """Remove a node with all edges from and to it.

        Raises:
            KeyError: there is none.
        """
        del self._edges[node]
        for others in self._edges.values():
            others.pop(node, None)

    def has_edge(self, start: Node, end: Node) -> bool:
        """True if an edge leads from `start` to `end`."""
        return end in self._edges.get(start, {})

    def weight(self, start: Node, end: Node) -> float:
        """The weight of an edge."""
        return self._edges[start][end]

    def neighbours(self, node: Node) -> list[Node]:
        """Nodes that edges from `node` lead to."""
        return list(self._edges[node])

    def edges(self) -> list[tuple[Node, Node, float]]:
        """All edges; those of an undirected graph once."""
        found = []
        seen = set()
        for start, others in self._edges.items():
            for end, weight in others.items():
                if not self.directed and (end, start) in seen:
                    continue
                seen.add((start, end))
                found.append((start, end, weight))
        return found

    def degree(self, node: Node) -> int:
        """Number of edges at a node; a loop counts twice in an undirected graph."""
        degree = len(self._edges[node])
        if not self.directed and node in self._edges[node]:
            degree += 1
        return degree

    def in_degree(self, node: Node) -> int:
        """Number of edges that lead to a node."""
        if node not in self._edges:
            raise KeyError(node)
        return sum(node in others for others in self._edges.values())

    def copy(self) -> Graph:
        """A graph of its own with the same nodes and edges."""
        other = Graph(self.directed)
        other._edges = {node: dict(others) for node, others in self._edges.items()}
        return other

    def reversed(self) -> Graph:
        """The graph with all edges the other way round."""
        other = Graph(self.directed)
        for node in self:
            other.add_node(node)
        for start, end, weight in self.edges():
            other.add_edge(end, start, weight)
        return other

    def subgraph(self, nodes: list[Node]) -> Graph:
        """Some of the nodes, and the edges between them."""
        kept = set(nodes)
        other = Graph(self.directed)
        for node in self:
            if node in kept:
                other.add_node(node)
        for start, end, weight in self.edges():
            if start in kept and end in kept:
                other.add_edge(start, end, weight)
        return other
