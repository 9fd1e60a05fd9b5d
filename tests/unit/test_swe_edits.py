"""Sources, edits, operators, checks and localisation of the patch loop."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.swe.checks import Checker, undefined
from hybrid_agent.swe.command import read_command, split_command
from hybrid_agent.swe.edits import edit, overlap, patched, same_key, spliced, unified
from hybrid_agent.swe.generators import transferred
from hybrid_agent.swe.language import LocalStatistics, tokens
from hybrid_agent.swe.localise import Diagnosis, count_lines, spots, words_of
from hybrid_agent.swe.operators import all_edits
from hybrid_agent.swe.project import is_protected
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.source import Source, Unreadable, parse
from hybrid_agent.swe.syntax import syntax_edits
from hybrid_agent.swe.testing import Failure

CODE = '''\
"""Module."""
import os


class Stack:
    def __init__(self, limit=None):
        self.items = []
        self.limit = limit

    def push(self, item, count):
        if self.limit is not None and len(self.items) >= self.limit:
            raise ValueError("full")
        for index in range(count - 1):
            self.items.append(item)
        return len(self.items)

    def last(self, default):
        if not self.items:
            return default
        return self.items[0]


def depth(tree, level=0):
    if tree is None:
        return level
    left = depth(tree.left, level + 1)
    right = depth(level + 1, tree.right)
    return max(left, left)
'''


def made(code: str = CODE) -> dict[str, str]:
    """New text -> operator, for every edit of every line."""
    source = Source("m.py", code.encode())
    return {each.apply(code): each.operator for each in all_edits(Scene(source), range(1, len(source.starts) + 1))}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (">= self.limit", "> self.limit"),
        ("is not None and", "is not None or"),
        ("range(count - 1)", "range(count)"),
        ("self.items[0]", "self.items[-1]"),
        ("depth(level + 1, tree.right)", "depth(tree.right, level + 1)"),
        ("max(left, left)", "max(left, right)"),
        ("max(left, left)", "min(left, left)"),
        ("if not self.items:", "if self.items:"),
        ("        self.limit = limit\n", ""),
        ("return len(self.items)", "return self.items"),
        ("default):\n", "default):\n        if not default:\n            return default\n"),
        ("self.items.append(item)", "self.items.append(count)"),
        ("return level\n", "return None\n"),
        ("limit=None", "limit=0"),
    ],
)
def test_operators_reach_the_fix(old: str, new: str) -> None:
    assert CODE.count(old) == 1
    assert CODE.replace(old, new) in made()


def test_every_edit_parses_and_changes_something() -> None:
    found = made()
    assert len(found) > 400
    for text in found:
        parse(text)
    assert CODE not in found
    assert len({operator.partition(".")[0] for operator in found.values()}) >= 18


def test_edits_keep_crlf_encoding_and_byte_order_mark() -> None:
    data = "# -*- coding: latin-1 -*-\r\ndef f(a):\r\n    return a + 1  # \xe9\r\n".encode("latin-1")
    source = Source("m.py", data)
    assert source.newline == "\r\n"
    assert source.encode(source.text) == data
    texts = [each.apply(source.text) for each in all_edits(Scene(source), [3])]
    changed = next(text for text in texts if "return a - 1" in text)
    assert source.encode(changed) == data.replace(b"a + 1", b"a - 1")
    for text in texts:
        assert "\n" not in text.replace("\r\n", "")
    marked = b"\xef\xbb\xbfx = 1\n"
    assert Source("m.py", marked).encode(Source("m.py", marked).text) == marked
    with pytest.raises(Unreadable):
        Source("m.py", b"x = '\xff'\n")


def test_places_count_characters_not_bytes() -> None:
    source = Source("m.py", "def f(a, b):\n    return 'äöü€' + a < b\n".encode())
    texts = [each.apply(source.text) for each in all_edits(Scene(source), [2])]
    assert "def f(a, b):\n    return 'äöü€' + a <= b\n" in texts


def test_same_key_ignores_layout_only() -> None:
    assert same_key({"m.py": "x = (1)  # one\n"}) == same_key({"m.py": "x=1\n"})
    assert same_key({"m.py": "x = 1\n"}) != same_key({"m.py": "x = 2\n"})


@pytest.mark.parametrize("end", ["\n", ""])
@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_diff_is_applied_by_git(tmp_path: Path, line: str, end: str) -> None:
    before = line.join(["a = 1", "b = 2 # \xe9", "c = 3"]).encode("latin-1") + (line if end else "").encode()
    after = before.replace(b"b = 2", b"b = 20").replace(b"c = 3", b"c = 4" + line.encode() + b"d = 5")
    (tmp_path / "m.py").write_bytes(before)
    diff = unified("m.py", before, after)
    done = subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=tmp_path, input=diff, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "m.py").read_bytes() == after


def test_two_edits_of_one_file() -> None:
    source = Source("m.py", b"a = 1\nb = 2\n")
    one, two = edit("m.py", 4, 5, "10", "x.y", 1), edit("m.py", 10, 11, "20", "x.y", 2)
    assert not overlap(one, two)
    assert overlap(one, edit("m.py", 3, 6, "", "x.y", 1))
    assert patched((two, one), {"m.py": source}) == {"m.py": "a = 10\nb = 20\n"}
    assert spliced("abc", ()) == "abc"


def test_checker_rejects_what_cannot_work_and_repeats() -> None:
    text = "import os\n\ndef f(a):\n    return a\n"
    checker = Checker({"m.py": Source("m.py", text.encode())})
    at = text.index("return a") + 7

    def problem(new: str) -> str | None:
        return checker.problem((edit("m.py", at, at + 1, new, "x.y", 4),))

    assert "undefined name b" in (problem("b") or "")
    assert problem("os") is None
    assert "same" in (problem("(os)") or "")
    assert "same" in (problem("( a )") or "")
    assert problem("a a") is not None
    assert undefined("from x import *\ny = z\n") == set()
    assert undefined("def f():\n    global g\n    g = 1\ndef h():\n    return g + k\n") == {"k"}


def test_ochiai_puts_the_line_only_failing_tests_run_first() -> None:
    text = "def f(a):\n    if a:\n        b = 1\n    else:\n        b = 2\n    return b\n"
    source = Source("m.py", text.encode())
    diagnosis = Diagnosis(
        failures=[Failure("AssertionError", "")],
        failing_lines=[{"m.py": [2, 3, 6]}],
        passing=count_lines([{"m.py": [2, 5, 6]}] * 3),
        passed=3,
    )
    assert diagnosis.ochiai("m.py", 3) == 1.0
    assert diagnosis.ochiai("m.py", 2) == pytest.approx(0.5)
    assert diagnosis.ochiai("m.py", 5) == 0.0
    found = spots(diagnosis, {"m.py": source}.get, lambda path: True)
    assert found[0].line == 3
    assert 5 not in {spot.line for spot in found}
    assert spots(diagnosis, {"m.py": source}.get, lambda path: False) == []


def test_statistics_prefer_what_the_project_writes() -> None:
    local = LocalStatistics(["for i in range(n):\n    total += values[i]\n" * 5])
    usual, odd = tokens("total += values[i]"), tokens("total += values[n]")
    assert sum(local.surprise(usual, odd)) < sum(local.surprise(odd, usual))


def test_commands() -> None:
    assert read_command(split_command("pytest -q tests")).args == ("-q", "tests")
    found = read_command(split_command("FOO=1 python3 -B -m unittest discover -s t"))
    assert (found.kind, found.args, found.env) == ("unittest", ("discover", "-s", "t"), {"FOO": "1"})
    assert read_command(split_command("python run_tests.py -v")).kind == "script"
    assert split_command("make test && echo ok")[:2] == ["/bin/sh", "-c"]
    assert read_command(["make", "test"]).kind == "plain"
    with pytest.raises(InputError, match="test command"):
        read_command([])


@pytest.mark.parametrize(
    "path", ["tests/a.py", "pkg/test_a.py", "setup.py", "conftest.py", "a.cfg", ".ci/x.py", "a_test.py"]
)
def test_protected(path: str) -> None:
    assert is_protected(path)
    assert not is_protected("pkg/core.py")


def test_memory_edit_takes_over_names() -> None:
    assert transferred("if i < len(xs):", "if i < len(xs) - 1:", "if k < len(rows):") == "if k < len(rows) - 1:"
    assert transferred("if i < len(i):", "pass", "if k < len(rows):") is None
    assert transferred("a = 1", "a = 2", "b = 3") is None


@pytest.mark.parametrize(
    "code", ["def f(a)\n    return a\n", "x = (1 + 2\ny = 3\n", "def f():\n    return [1, 2\n", "x = 'a\n"]
)
def test_syntax_edits_parse(code: str) -> None:
    found = list(syntax_edits(Source("m.py", code.encode())))
    assert found
    for each in found:
        ast.parse(each.apply(code))


def test_words() -> None:
    assert words_of("parse_header2") == ["parse", "header2"]
    assert Counter(words_of("test_chunks_even"))["chunks"] == 1
