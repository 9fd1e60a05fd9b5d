import pytest
from graphlet import Graph


def test_nodes(roads):
    assert len(roads) == 5
    assert "e" in roads
    assert "z" not in roads


def test_edges_of_undirected_are_listed_once(roads):
    assert len(roads.edges()) == 6


def test_undirected_edges_go_both_ways(roads):
    assert roads.has_edge("b", "a")
    assert roads.weight("b", "a") == 4


def test_directed_edges_go_one_way(tasks):
    assert tasks.has_edge("shop", "cook")
    assert not tasks.has_edge("cook", "shop")


def test_weight_is_one_by_default():
    graph = Graph()
    graph.add_edge("a", "b")
    assert graph.weight("a", "b") == 1


def test_weight_zero():
    graph = Graph()
    graph.add_edge("a", "b", 0)
    assert graph.weight("a", "b") == 0


def test_adding_a_node_again(roads):
    roads.add_node("a")
    assert set(roads.neighbours("a")) == {"b", "c"}


def test_adding_an_edge_again_changes_its_weight(roads):
    roads.add_edge("b", "a", 9)
    assert roads.weight("a", "b") == 9
    assert len(roads.edges()) == 6


def test_remove_edge(roads):
    roads.remove_edge("b", "a")
    assert not roads.has_edge("a", "b")


def test_remove_loop():
    graph = Graph()
    graph.add_edge("a", "a")
    graph.remove_edge("a", "a")
    assert graph.edges() == []


def test_remove_node(roads):
    roads.remove_node("d")
    assert "d" not in roads
    assert "d" not in roads.neighbours("b")


def test_remove_node_of_directed(tasks):
    tasks.remove_node("eat")
    assert tasks.neighbours("cook") == []
    assert tasks.edges() == [("shop", "cook", 1.0)]


@pytest.mark.parametrize("call", [lambda g: g.remove_edge("a", "e"), lambda g: g.remove_node("z")])
def test_remove_what_is_not_there(roads, call):
    with pytest.raises(KeyError):
        call(roads)


def test_degree(roads):
    assert roads.degree("d") == 3


def test_degree_of_a_loop():
    graph = Graph()
    graph.add_edge("a", "a")
    assert graph.degree("a") == 2


def test_in_degree(tasks):
    assert tasks.in_degree("eat") == 2
    with pytest.raises(KeyError):
        tasks.in_degree("nap")


def test_copy_is_independent(roads):
    other = roads.copy()
    other.remove_edge("a", "b")
    assert roads.has_edge("a", "b")
    assert len(roads.edges()) == 6


def test_copy_keeps_the_kind(tasks):
    assert tasks.copy().directed


def test_reversed(tasks):
    tasks.add_node("alone")
    other = tasks.reversed()
    assert other.has_edge("eat", "cook")
    assert "alone" in other


def test_subgraph(roads):
    small = roads.subgraph(["a", "b", "e"])
    assert small.edges() == [("a", "b", 4)]
    assert "e" in small
