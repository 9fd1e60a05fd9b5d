"""Small graphs."""

from graphlet.components import bridges, components, is_bipartite
from graphlet.graph import Graph
from graphlet.order import CycleError, find_cycle, layers, topological_order
from graphlet.paths import distances, eccentricity, reachable, shortest_path
from graphlet.text import parse_edges, to_dot
from graphlet.trees import DisjointSets, minimum_tree

__all__ = [
    "CycleError",
    "DisjointSets",
    "Graph",
    "bridges",
    "components",
    "distances",
    "eccentricity",
    "find_cycle",
    "is_bipartite",
    "layers",
    "minimum_tree",
    "parse_edges",
    "reachable",
    "shortest_path",
    "to_dot",
    "topological_order",
]
