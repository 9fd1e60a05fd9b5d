import pytest
from textfold import Table


def test_render():
    table = Table(["name", "count"], [["apples", 3], ["figs", 12]])
    assert table.render() == "name    count\n------  -----\napples      3\nfigs       12"


def test_header_alone():
    assert Table(["a", "bc"]).render() == "a  bc\n-  --"


def test_header_wider_than_cells():
    assert Table(["quantity"], [[1]]).widths() == [8]


def test_cells_wider_than_header():
    assert Table(["n"], [["abcdef"], ["ab"]]).widths() == [6]


def test_missing_cells_are_empty():
    assert Table(["a", "b"], [["x"]]).render().splitlines()[-1] == "x"


def test_too_many_cells():
    with pytest.raises(ValueError):
        Table(["a"], [[1, 2]])


def test_none_is_empty():
    assert Table(["abc"], [[None]]).render() == "abc\n---\n"


def test_zero_is_shown():
    assert Table(["n"], [[0]]).render().splitlines()[-1] == "0"


def test_align():
    table = Table(["abcdef"], [["xy"]])
    table.align("abcdef", "r")
    assert table.render().splitlines()[-1] == "    xy"


def test_align_numbers_at_the_left():
    table = Table(["abc"], [[1]])
    table.align("abc", "l")
    assert table.render().splitlines()[-1] == "1"


@pytest.mark.parametrize("column,how,error", [("zz", "l", KeyError), ("a", "x", ValueError)])
def test_bad_align(column, how, error):
    with pytest.raises(error):
        Table(["a"]).align(column, how)


def test_limit():
    table = Table(["t"], [["abcdefgh"]], limit=6)
    assert table.render().splitlines()[-1] == "abc..."
    assert table.widths() == [6]


def test_sort():
    table = Table(["n"], [[3], [1], [2]])
    table.sort("n")
    assert table.render().splitlines()[2:] == ["1", "2", "3"]


def test_sort_reverse_keeps_empty_last():
    table = Table(["k", "n"], [["a", 3], ["b"], ["c", 7]])
    table.sort("n", reverse=True)
    assert [line[0] for line in table.render().splitlines()[2:]] == ["c", "a", "b"]


def test_tables_do_not_share_rows():
    first, second = Table(["a"]), Table(["a"])
    first.add(["x"])
    assert second.render() == "a\n-"
