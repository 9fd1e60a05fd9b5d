import pytest
from graphlet import Graph, distances, eccentricity, reachable, shortest_path
from graphlet.paths import all_paths


def test_shortest_path(roads):
    assert shortest_path(roads, "a", "e") == (11.0, ["a", "c", "b", "d", "e"])


def test_shortest_path_prefers_few_heavy_edges():
    graph = Graph()
    graph.add_edge("a", "b", 10)
    graph.add_edge("a", "c", 1)
    graph.add_edge("c", "d", 1)
    graph.add_edge("d", "b", 1)
    assert shortest_path(graph, "a", "b") == (3.0, ["a", "c", "d", "b"])


def test_path_to_itself(roads):
    assert shortest_path(roads, "a", "a") == (0.0, ["a"])


def test_no_way(tasks):
    assert shortest_path(tasks, "eat", "shop") is None


def test_unknown_nodes(roads):
    with pytest.raises(KeyError):
        shortest_path(roads, "z", "a")
    with pytest.raises(KeyError):
        shortest_path(roads, "a", "z")


def test_negative_weight(roads):
    roads.add_edge("d", "e", -1)
    with pytest.raises(ValueError):
        distances(roads, "a")


def test_nodes_need_no_order():
    graph = Graph()
    graph.add_edge("a", 1, 2)
    graph.add_edge("a", ("x",), 2)
    assert len(distances(graph, "a")) == 3


def test_distances(roads):
    assert distances(roads, "a") == {"a": 0, "b": 3, "c": 1, "d": 8, "e": 11}


def test_reachable(tasks):
    assert reachable(tasks, "cook") == {"cook": 0, "eat": 1, "wash": 2}


def test_reachable_within_steps(roads):
    assert set(reachable(roads, "a", steps=1)) == {"a", "b", "c"}


def test_reachable_within_no_step(roads):
    assert reachable(roads, "a", steps=0) == {"a": 0}


def test_eccentricity(roads):
    assert eccentricity(roads, "a") == 11


def test_eccentricity_needs_every_node(roads):
    roads.add_node("island")
    with pytest.raises(ValueError):
        eccentricity(roads, "a")


def test_all_paths(roads):
    assert sorted(all_paths(roads, "a", "d")) == [
        ["a", "b", "c", "d"],
        ["a", "b", "d"],
        ["a", "c", "b", "d"],
        ["a", "c", "d"],
    ]


def test_all_paths_of_two_edges(roads):
    assert sorted(all_paths(roads, "a", "d", limit=2)) == [["a", "b", "d"], ["a", "c", "d"]]
