"""What a reader of a growing text sees, and where JSON that is cut off is cut off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_agent.decoder.completion import _Enough, _inside_string, _Stream


def read(text: str, *stop: str) -> tuple[list[str], str, bool]:
    """The pieces, all of the text, and whether it ended at a stop text, as it comes letter by letter."""
    pieces: list[str] = []
    stream = _Stream(lambda tokens: "".join(map(chr, tokens)), stop, lambda piece: pieces.append(piece) or False)
    tokens = [ord(char) for char in text]
    try:
        for end in range(1, len(tokens)):
            stream.see(tokens[:end])
        stopped = stream.end(tokens)
        return pieces, stream.sent, stopped
    except _Enough:
        return pieces, stream.sent, True


@given(st.text("abé", max_size=12), st.lists(st.text("ab", min_size=1, max_size=3), max_size=2))
def test_a_reader_sees_all_up_to_the_first_stop_and_no_more(text: str, stop: list[str]) -> None:
    pieces, sent, stopped = read(text, *stop)
    first = min((text.find(one) for one in stop if one in text), default=None)
    # A longer stop text that begins earlier may end later; either end is one that was asked for.
    assert stopped == (first is not None)
    assert "".join(pieces) == sent
    assert text.startswith(sent)
    if first is None:
        assert sent == text
    else:
        assert any(text[len(sent) :].startswith(one) for one in stop)


def test_half_a_character_is_not_shown() -> None:
    data = "aé".encode()
    shown: list[str] = []
    stream = _Stream(lambda tokens: bytes(tokens).decode("utf-8", "replace"), (), lambda p: shown.append(p) or False)
    stream.see(list(data[:2]))
    assert shown == ["a"]
    assert stream.end(list(data)) is False
    assert shown == ["a", "é"]


def test_nobody_who_has_gone_is_written_for() -> None:
    stream = _Stream(lambda tokens: "x" * len(tokens), (), lambda piece: True)
    with pytest.raises(_Enough):
        stream.see([1])


@pytest.mark.parametrize(
    ("text", "inside"),
    [('{"a', True), ('{"a"', False), ('{"a\\"', True), ('{"a\\\\"', False), ("{", False), ('{"a":"}', True)],
)
def test_where_json_is_cut_off(text: str, inside: bool) -> None:
    assert _inside_string(text) is inside
