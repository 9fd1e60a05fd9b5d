import pytest
from confmerge import merge
from confmerge.merge import DELETE


def test_later_wins():
    assert merge({"a": 1, "b": 2}, {"b": 3}, {"c": 4}) == {"a": 1, "b": 3, "c": 4}


def test_groups_are_merged():
    assert merge({"db": {"host": "x", "port": 1}}, {"db": {"port": 2}}) == {"db": {"host": "x", "port": 2}}


def test_group_replaces_plain_value():
    assert merge({"a": 1}, {"a": {"b": 2}}) == {"a": {"b": 2}}


def test_plain_value_replaces_group():
    assert merge({"a": {"b": 2}}, {"a": 1}) == {"a": 1}


@pytest.mark.parametrize("value", [0, "", False, None, []])
def test_falsy_values_win(value):
    assert merge({"a": 5}, {"a": value}) == {"a": value}


def test_delete():
    assert merge({"a": 1, "g": {"b": 2, "c": 3}}, {"a": DELETE, "g": {"b": DELETE}}) == {"g": {"c": 3}}


def test_delete_what_is_not_there():
    assert merge({}, {"a": DELETE}) == {}


@pytest.mark.parametrize("lists,result", [("replace", [2, 3, 3]), ("append", [1, 2, 2, 3, 3]), ("unique", [1, 2, 3])])
def test_lists(lists, result):
    assert merge({"a": [1, 2]}, {"a": [2, 3, 3]}, lists=lists) == {"a": result}


def test_unknown_way():
    with pytest.raises(ValueError):
        merge({}, lists="zip")


def test_base_is_not_changed():
    base = {"g": {"a": 1}}
    merge(base, {"g": {"a": 2, "b": 3}})
    assert base == {"g": {"a": 1}}


def test_appending_does_not_change_the_base():
    base = {"a": [1]}
    merge(base, {"a": [2]}, lists="append")
    assert base == {"a": [1]}


def test_result_shares_nothing_with_layers():
    layer = {"hosts": ["x"], "g": {"list": [1]}}
    result = merge({}, layer)
    result["hosts"].append("y")
    result["g"]["list"].append(2)
    assert layer == {"hosts": ["x"], "g": {"list": [1]}}
