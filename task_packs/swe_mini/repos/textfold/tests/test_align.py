import pytest
from textfold import center, justify, left, right, truncate, visible

RED = "\x1b[31mred\x1b[0m"


def test_left_and_right():
    assert left("ab", 4) == "ab  "
    assert right("ab", 4) == "  ab"
    assert right("7", 3, "0") == "007"


def test_too_long_stays():
    assert left("abc", 2) == "abc"
    assert right("abc", 2) == "abc"
    assert center("abc", 2) == "abc"


def test_center():
    assert center("ab", 6) == "  ab  "
    assert center("ab", 5) == " ab  "


@pytest.mark.parametrize("how", [left, right, center])
def test_colour_takes_no_room(how):
    assert visible(how(RED, 8)) == 8


@pytest.mark.parametrize("how", [left, right, center])
def test_wide_characters(how):
    assert visible(how("\u6f22\u5b57", 8)) == 8


def test_truncate_short():
    assert truncate("abc", 5) == "abc"
    assert truncate("abcde", 5) == "abcde"


def test_truncate():
    assert truncate("abcdefgh", 6) == "abc..."


@pytest.mark.parametrize("width", [4, 5, 6, 7])
def test_truncate_is_never_wider(width):
    assert visible(truncate("abcdefgh", width)) <= width


def test_truncate_drops_blanks_before_the_ellipsis():
    assert truncate("ab cdefgh", 6) == "ab..."


@pytest.mark.parametrize("width,text", [(3, "..."), (2, ".."), (0, "")])
def test_truncate_to_almost_nothing(width, text):
    assert truncate("abcdef", width) == text


def test_truncate_wide_characters():
    assert truncate("\u6f22\u5b57\u6f22\u5b57", 6) == "\u6f22..."


def test_justify():
    assert justify("a b c", 7) == "a  b  c"


def test_justify_extra_goes_first():
    assert justify("a b c", 8) == "a   b  c"


def test_justify_one_word():
    assert justify(" word ", 10) == "word"


def test_justify_too_long():
    assert justify("abc  def", 5) == "abc def"
