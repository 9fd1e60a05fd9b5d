"""Bugs of graphlet."""
# ruff: noqa: E501  (a line of a repository stays one line)

from task_packs.swe_mini.spec import Bug, Edit

BUGS = (
    Bug(
        "free-edges",
        "Edges of weight 0 get weight 1",
        """`graph.add_edge("a", "b", 0)` and then `graph.weight("a", "b")` is 1.0. Free connections are common in our data and all
shortest ways come out too long.""",
        (
            Edit(
                "graphlet/graph.py",
                "        if weight is None:\n            weight = 1.0\n",
                "        if not weight:\n            weight = 1.0\n",
            ),
        ),
    ),
    Bug(
        "edges-to-nowhere",
        "Removing a node of a directed graph leaves edges to it",
        """After `remove_node("eat")` other nodes still have "eat" among their neighbours, `edges()` lists them, and a search that
follows such an edge ends in a KeyError. Undirected graphs are fine.""",
        (
            Edit(
                "graphlet/graph.py",
                """        del self._edges[node]
        for others in self._edges.values():
            others.pop(node, None)
""",
                """        for other in self._edges.pop(node):
            if other != node:
                self._edges[other].pop(node, None)
""",
            ),
        ),
    ),
    Bug(
        "copies-are-tied",
        "Changing a copy changes the original graph",
        """`copy()` promises a graph of its own, but removing an edge from the copy removes it from the original too. Adding nodes
does not show the problem.""",
        (
            Edit(
                "graphlet/graph.py",
                "        other._edges = {node: dict(others) for node, others in self._edges.items()}\n",
                "        other._edges = dict(self._edges)\n",
            ),
        ),
    ),
    Bug(
        "one-step-too-far",
        "reachable(steps=n) goes n + 1 steps",
        """`reachable(roads, "a", steps=1)` should give "a" and its neighbours. It also has the neighbours of those. With
`steps=0` I get the neighbours instead of "a" alone.""",
        (
            Edit(
                "graphlet/paths.py",
                "        if steps is not None and found[node] >= steps:\n",
                "        if steps is not None and found[node] > steps:\n",
            ),
        ),
    ),
    Bug(
        "layer-too-early",
        "layers() puts a node next to something it depends on",
        """Edges a -> b, b -> d and z -> d. `layers` returns [["a", "z"], ["b", "d"]], so d would run together with b that it
depends on. It seems to matter in which order the dependencies are looked at.""",
        (
            Edit(
                "graphlet/order.py",
                "            level[other] = max(level.get(other, 0), level[node] + 1)\n",
                "            level[other] = level[node] + 1\n",
            ),
        ),
    ),
    Bug(
        "lonely-nodes",
        "components() of a directed graph forgets nodes without edges",
        """A directed graph with a node that has no edge: the node is in no component, and `is_connected` says True.
For undirected graphs lone nodes are there.""",
        (
            Edit(
                "graphlet/components.py",
                """        whole = Graph()
        for node in graph:
            whole.add_node(node)
        for start, end, weight in graph.edges():
""",
                """        whole = Graph()
        for start, end, weight in graph.edges():
""",
            ),
        ),
    ),
    Bug(
        "sizes-of-joined-sets",
        "DisjointSets.size is wrong after a few unions",
        """    sets = DisjointSets("abcde")
    sets.union("a", "b")
    sets.size("a")

gives 1. Joining works otherwise, `find` and `count` are right.""",
        (
            Edit(
                "graphlet/trees.py",
                "        self._size[first] += self._size[second]\n",
                "        self._size[second] += self._size[first]\n",
            ),
        ),
    ),
    Bug(
        "bridges-in-rings",
        "bridges() reports edges that belong to a ring",
        """Two triangles joined by one edge: the only bridge is the edge between them. `bridges` also returns edges of the
triangles, though one can go round the other way.""",
        (
            Edit(
                "graphlet/components.py",
                "            if lowest[other] > entered[node]:\n",
                "            if lowest[other] >= entered[node]:\n",
            ),
        ),
    ),
    Bug(
        "cycle-with-a-tail",
        "CycleError shows nodes that are not part of the cycle",
        """For a -> b -> c -> b `find_cycle` returns a, b, c, b. The way into the cycle should not be in it: I expect b, c, b.""",
        (
            Edit(
                "graphlet/order.py",
                "            return [*path[path.index(node) :], node]\n",
                "            return [*path, node]\n",
            ),
        ),
    ),
)
