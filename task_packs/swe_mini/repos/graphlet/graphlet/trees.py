"""Minimum spanning trees."""

from __future__ import annotations

from collections.abc import Iterable

from graphlet.graph import Graph, Node


class DisjointSets:
    """Sets that can only grow together."""

    def __init__(self, items: Iterable[Node] = ()) -> None:
        self._parent: dict[Node, Node] = {item: item for item in items}
        self._size: dict[Node, int] = dict.fromkeys(self._parent, 1)

    def add(self, item: Node) -> None:
        """Add an item in a set of its own; a known item stays where it is."""
        if item not in self._parent:
            self._parent[item] = item
            self._size[item] = 1

    def find(self, item: Node) -> Node:
        """The item that stands for the set."""
        root = item
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[item] != root:
            self._parent[item], item = root, self._parent[item]
        return root

    def union(self, one: Node, other: Node) -> bool:
        """Join two sets; False if they were the same."""
        first, second = self.find(one), self.find(other)
        if first == second:
            return False
        if self._size[first] < self._size[second]:
            first, second = second, first
        self._parent[second] = first
        self._size[first] += self._size[second]
        return True

    def size(self, item: Node) -> int:
        """Number of items in the item's set."""
        return self._size[self.find(item)]

    def count(self) -> int:
        """Number of sets."""
        return sum(parent == item for item, parent in self._parent.items())


def minimum_tree(graph: Graph) -> Graph:
    """The lightest edges that hold every component together (a forest if there are several).

    Raises:
        ValueError: the graph is directed.
    """
    if graph.directed:
        raise ValueError("a directed graph has no spanning tree")
    tree = Graph()
    for node in graph:
        tree.add_node(node)
    sets = DisjointSets(graph)
    for start, end, weight in sorted(graph.edges(), key=lambda edge: edge[2]):
        if sets.union(start, end):
            tree.add_edge(start, end, weight)
    return tree
