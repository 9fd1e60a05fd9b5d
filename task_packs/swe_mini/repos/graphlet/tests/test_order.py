import pytest
from graphlet import CycleError, Graph, find_cycle, layers, topological_order


def test_order(tasks):
    assert topological_order(tasks) == ["lay", "shop", "cook", "eat", "wash"]


def test_order_of_lone_nodes():
    graph = Graph(directed=True)
    for node in "cab":
        graph.add_node(node)
    assert topological_order(graph) == ["a", "b", "c"]


def test_smallest_ready_node_first():
    graph = Graph(directed=True)
    graph.add_edge("b", "a")
    graph.add_edge("c", "d")
    assert topological_order(graph) == ["b", "a", "c", "d"]


def test_no_order(tasks):
    tasks.add_edge("wash", "cook")
    with pytest.raises(CycleError) as caught:
        topological_order(tasks)
    assert caught.value.cycle == ["cook", "eat", "wash", "cook"]


def test_loop_is_a_cycle():
    graph = Graph(directed=True)
    graph.add_edge("a", "a")
    assert find_cycle(graph) == ["a", "a"]


def test_no_cycle(tasks):
    assert find_cycle(tasks) is None


def test_two_ways_to_a_node_are_no_cycle():
    graph = Graph(directed=True)
    for start, end in ["ab", "ac", "bd", "cd"]:
        graph.add_edge(start, end)
    assert find_cycle(graph) is None


def test_cycle_without_its_entrance():
    graph = Graph(directed=True)
    for start, end in ["ab", "bc", "cb"]:
        graph.add_edge(start, end)
    assert find_cycle(graph) == ["b", "c", "b"]


def test_layers(tasks):
    assert layers(tasks) == [["lay", "shop"], ["cook"], ["eat"], ["wash"]]


def test_layer_follows_the_last_dependency():
    graph = Graph(directed=True)
    for start, end in ["ab", "bc", "ac", "cd", "ad"]:
        graph.add_edge(start, end)
    assert layers(graph) == [["a"], ["b"], ["c"], ["d"]]


def test_layer_of_a_node_with_an_early_and_a_late_dependency():
    graph = Graph(directed=True)
    for start, end in ["ab", "bd", "zd"]:
        graph.add_edge(start, end)
    assert layers(graph) == [["a", "z"], ["b"], ["d"]]


def test_layers_of_nothing():
    assert layers(Graph(directed=True)) == []
