import pytest
from graphlet import DisjointSets, Graph, bridges, components, is_bipartite, minimum_tree, parse_edges, to_dot
from graphlet.components import is_connected


def test_components(roads):
    roads.add_edge("x", "y")
    roads.add_node("z")
    assert components(roads) == [{"a", "b", "c", "d", "e"}, {"x", "y"}, {"z"}]


def test_components_ignore_directions(tasks):
    assert components(tasks) == [{"shop", "cook", "eat", "lay", "wash"}]


def test_lone_node_of_directed(tasks):
    tasks.add_node("nap")
    assert {"nap"} in components(tasks)


def test_connected(roads):
    assert is_connected(roads)
    assert is_connected(Graph())
    roads.add_node("island")
    assert not is_connected(roads)


def test_bipartite():
    assert is_bipartite(parse_edges("a b\nb c\nc d\nd a"))
    assert not is_bipartite(parse_edges("a b\nb c\nc a"))


def test_bipartite_in_every_component():
    assert not is_bipartite(parse_edges("x y\na b\nb c\nc a"))


def test_bridges(roads):
    assert bridges(roads) == [("d", "e")]


def test_bridges_of_a_line():
    assert sorted(bridges(parse_edges("a b\nb c"))) == [("a", "b"), ("b", "c")]


def test_bridge_between_two_rings():
    graph = parse_edges("a b\nb c\nc a\nc d\nd e\ne f\nf d")
    assert bridges(graph) == [("c", "d")]


def test_minimum_tree(roads):
    tree = minimum_tree(roads)
    assert sum(weight for *_, weight in tree.edges()) == 11
    assert len(tree.edges()) == 4


def test_minimum_tree_of_parts(roads):
    roads.add_edge("x", "y", 2)
    roads.add_node("z")
    tree = minimum_tree(roads)
    assert "z" in tree
    assert tree.has_edge("x", "y")


def test_minimum_tree_of_directed(tasks):
    with pytest.raises(ValueError):
        minimum_tree(tasks)


def test_sets():
    sets = DisjointSets("abcd")
    assert sets.union("a", "b")
    assert not sets.union("b", "a")
    assert sets.find("a") == sets.find("b")
    assert sets.count() == 3


def test_sizes_of_sets():
    sets = DisjointSets("abcde")
    sets.union("a", "b")
    sets.union("c", "b")
    assert [sets.size(item) for item in "abc"] == [3, 3, 3]
    sets.union("d", "e")
    sets.union("e", "a")
    assert sets.size("d") == 5


def test_add_to_sets():
    sets = DisjointSets("ab")
    sets.union("a", "b")
    sets.add("a")
    sets.add("c")
    assert (sets.size("a"), sets.size("c")) == (2, 1)


def test_parse():
    graph = parse_edges("a b 2.5\n\n# nothing\nc  # alone\n")
    assert graph.edges() == [("a", "b", 2.5)]
    assert "c" in graph


@pytest.mark.parametrize("line", ["a b heavy", "a b 1 2"], ids=["weight", "words"])
def test_parse_errors(line):
    with pytest.raises(ValueError, match="line 2"):
        parse_edges("a b\n" + line)


def test_dot():
    graph = parse_edges("a b 2\nb c\nd", directed=True)
    assert to_dot(graph) == 'digraph g {\n  "d";\n  "a" -> "b" [label=2];\n  "b" -> "c";\n}'


def test_dot_undirected():
    assert to_dot(parse_edges("a b"), "x") == 'graph x {\n  "a" -- "b";\n}'
