import pytest
from graphlet import Graph

ROADS = [("a", "b", 4), ("a", "c", 1), ("c", "b", 2), ("b", "d", 5), ("c", "d", 8), ("d", "e", 3)]


@pytest.fixture
def roads():
    graph = Graph()
    for start, end, weight in ROADS:
        graph.add_edge(start, end, weight)
    return graph


@pytest.fixture
def tasks():
    graph = Graph(directed=True)
    for start, end in [("shop", "cook"), ("cook", "eat"), ("lay", "eat"), ("eat", "wash")]:
        graph.add_edge(start, end)
    return graph
