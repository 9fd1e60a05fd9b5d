import pytest
from textfold import Outline, bullets, numbered
from textfold.lists import sentence
from textfold.width import widest


def test_bullets():
    assert bullets(["one", "two"]) == "- one\n- two"


def test_bullets_wrap_below_the_text():
    assert bullets(["aa bb"], 5, mark="*") == "* aa\n  bb"


def test_numbered():
    assert numbered(["a", "b"]) == "1. a\n2. b"


def test_numbers_stand_below_one_another():
    lines = numbered(["x"] * 10).splitlines()
    assert lines[0] == " 1. x"
    assert lines[9] == "10. x"


def test_numbered_from_elsewhere():
    assert numbered(["a", "b"], start=9) == " 9. a\n10. b"


def test_numbered_wraps():
    assert numbered(["aa bb"], 6) == "1. aa\n   bb"


@pytest.mark.parametrize(
    "items,text",
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
    ids=["none", "one", "two", "three"],
)
def test_sentence(items, text):
    assert sentence(items) == text


def test_widest():
    assert widest(["a", "\x1b[1mabc\x1b[0m"]) == 3


def test_widest_of_nothing():
    assert widest([]) == 0


@pytest.fixture
def outline():
    made = Outline()
    for title, level in [("Start", 1), ("Why", 2), ("How", 2), ("Tools", 3), ("Use", 1), ("Daily", 2)]:
        made.add(title, level)
    return made


def test_outline_numbers(outline):
    assert outline.numbers() == ["1", "1.1", "1.2", "1.2.1", "2", "2.1"]


def test_outline_counts_on_after_deeper_levels():
    made = Outline()
    for level in (1, 2, 3, 2):
        made.add("x", level)
    assert made.numbers()[-1] == "1.2"


def test_outline_render(outline):
    assert outline.render().splitlines()[3] == "    1.2.1 Tools"


def test_outline_find(outline):
    assert outline.find("tools") == "1.2.1"
    assert outline.find("nothing") is None


@pytest.mark.parametrize("level", [0, 2, 7])
def test_outline_bad_level(level):
    with pytest.raises(ValueError):
        Outline().add("x", level)


def test_outline_deepest_level():
    made = Outline(max_level=2)
    made.add("a")
    made.add("b", 2)
    with pytest.raises(ValueError):
        made.add("c", 3)
