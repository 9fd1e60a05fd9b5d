"""Operands that repeat within a call: found in the text, mended by the decoder."""

import json

import pytest

from hybrid_agent.constrain.repeats import repeated


def call(tool, **args):
    """A call as the decoder writes it."""
    return json.dumps({"tool": tool, "args": args}, separators=(",", ":"))


@pytest.mark.parametrize(
    ("text", "operand"),
    [
        (call("shell", cmd="grep -c 'sapphire' cookie.csv > cookie.csv"), "cookie.csv"),
        (call("shell", cmd="sort a.txt > a.txt"), "a.txt"),
        (call("shell", cmd="make -s -C student student > m.out"), "student"),
        (call("fs", op="move", path="m.ini", to="m.ini"), "m.ini"),
        (call("editor", path="e.cfg", edits=[{"op": "set", "key": "meteor", "value": "meteor"}]), "meteor"),
        (call("shell", cmd='echo "a b" > "a b"'), "a b"),
    ],
)
def test_found_in_both_places(text, operand):
    found = repeated(text)
    assert found is not None
    first, second = found
    assert first.end <= second.start
    for place in found:
        assert place.text == text[place.start : place.end] == operand


@pytest.mark.parametrize(
    "text",
    [
        call("shell", cmd="git -C north add -A && git -C north commit -qm 'update north'"),
        call("shell", cmd="grep -rlIw trade asset | xargs sed -i 's/\\<trade\\>/nectar/g'"),
        call("fs", op="move", path="a", to="a/b"),
        call("exec_code", lang="python", code="x = 'a'\ny = 'a'"),
        call("finish", status="done", summary="done done done"[:9]),
        call("fs", op="write", path="a.txt", text="a.txt was written"),
        "no call",
        "",
    ],
)
def test_nothing_found(text):
    assert repeated(text) is None


def test_words_without_end_are_found_in_a_cut_call():
    cut = '{"tool":"editor","args":{"path":"D","edits":[{"op":"append","text":"ENV exposes exposes exposes exposes'
    found = repeated(cut)
    assert found is not None
    assert [cut[place.start : place.end] for place in found] == ["exposes", "exposes"]
    assert cut[: found[1].start].count("exposes") == 1
