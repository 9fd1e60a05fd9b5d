import pytest
from textfold import indent, wrap, wrap_lines


def test_short_text_stays():
    assert wrap_lines("one two", 20) == ["one two"]


def test_breaks_between_words():
    assert wrap_lines("the quick brown fox", 10) == ["the quick", "brown fox"]


def test_line_may_be_full():
    assert wrap_lines("aaaa bbbb cc", 9) == ["aaaa bbbb", "cc"]


def test_white_space_is_one_blank():
    assert wrap_lines("  one\n two\t three ", 40) == ["one two three"]


def test_nothing():
    assert wrap_lines("   ", 10) == []


def test_long_word_is_cut():
    assert wrap_lines("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_long_word_after_text():
    assert wrap_lines("x abcdefgh", 4) == ["x", "abcd", "efgh"]


def test_long_word_may_stay_whole():
    assert wrap_lines("an extraordinary day", 6, split_words=False) == ["an", "extraordinary", "day"]


def test_long_word_first_stays_whole():
    assert wrap_lines("extraordinary", 6, split_words=False) == ["extraordinary"]


def test_prefixes():
    assert wrap_lines("one two three", 9, first="* ", rest="  ") == ["* one two", "  three"]


def test_longer_prefix_of_later_lines():
    assert wrap_lines("aa bb cc", 7, first="", rest="    ") == ["aa", "    bb", "    cc"]


def test_no_room():
    with pytest.raises(ValueError):
        wrap_lines("text", 2, first="> ")


def test_paragraphs():
    assert wrap("one two\nthree\n\n\nfour", 9) == "one two\nthree\n\nfour"


def test_paragraph_at_the_end():
    assert wrap("one\n\n") == "one"


def test_colour_takes_no_room():
    red = "\x1b[31mred\x1b[0m"
    assert wrap_lines(f"{red} ink", 7, split_words=False) == [f"{red} ink"]


def test_indent():
    assert indent("a\nb", "> ") == "> a\n> b"


def test_indent_leaves_blank_lines():
    assert indent("a\n\nb", "  ") == "  a\n\n  b"


def test_indent_first_line():
    assert indent("a\nb", "  ", first="- ") == "- a\n  b"


def test_indent_first_line_without_prefix():
    assert indent("a\nb", "  ", first="") == "a\n  b"
