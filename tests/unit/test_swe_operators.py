"""Operators for forgotten cases, bounds, and what a project has already."""

from __future__ import annotations

import textwrap

import pytest

from hybrid_agent.swe.operators import all_edits
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.source import Source

CASES = [
    ("def f(a, b):\n    return a.end <= b.end\n", "return b.end is None or a.end <= b.end"),
    ("def f(a, b):\n    return a.x < b.x or a.y < b.y\n", "return (a.x, a.y) < (b.x, b.y)"),
    ("def f(a, b):\n    print(a.y)\n    return a.x == b.x\n", "return a.x == b.x and a.y == b.y"),
    ("def f(xs, i):\n    return i < len(xs)\n", "return -len(xs) <= i < len(xs)"),
    ("def f(d, k):\n    v = d.get(k)\n    if v is None:\n        return 0\n    return v\n", "if k not in d:"),
    ("def f(a, b):\n    return a / b\n", "return a / b if b else 0.0"),
    ("def f(a, b, c):\n    return c * (a / b)\n", "return c * (a / b if b else 0.0)\n"),
    ("def f(t):\n    t = t.strip('0')\n    return t\n", "    if '0' in t:\n        t = t.strip('0')\n"),
    ("def f(t):\n    if t == 'a':\n        return 'b'\n", "if t in ('a', 'b'):"),
    (
        "def f(d, k, x):\n    mine = d[k]\n    mine.remove(x)\n",
        "    mine.remove(x)\n    if not mine:\n        del d[k]\n",
    ),
    ("def f(d, k):\n    for k in k:\n        del d[k]\n", "        if d[k]:\n            break\n        del d[k]\n"),
    ("def f(xs, n):\n    return xs[-n:]\n", "return xs[len(xs) - n:]"),
    ("def f(xs):\n    return xs[-1]\n", "return max(xs)"),
    ("def f(a, b):\n    end = a.end\n    return G(b.end, end)\n", "end = max(a.end, b.end)"),
    ("def f(a, b):\n    a = b.end\n    return a\n", "a = max(a, b.end)"),
    ("def f(d, k, v):\n    d[k] = v + 1\n", "d[k] = max(d.get(k, 0), v + 1)"),
    ("def f(d, a, b):\n    d[a] += d[b]\n", "d[b] += d[a]"),
    ("def f(d):\n    return dict(d)\n", "{key: dict(value) for key, value in d.items()}"),
    ("def f(x, seen):\n    return f(x, seen)\n", "return f(x, (*seen, x))"),
    ("def f(xs, start):\n    return str(len(xs))\n", "str(len(xs) + start - 1)"),
    ("def f(t):\n    return t.split('=')\n", "t.split('=', 1)"),
    ("def f(t, p):\n    q = f'{t}:'\n    return t.startswith(p)\n", "t.startswith(p + ':')"),
    ("def f(t):\n    return t in '+-'\n", "t in '+'"),
    ("def f(a, **kw):\n    return g(a, {})\n", "return g(a, kw)"),
    ("def width(t):\n    return 1\n\n\ndef f(t):\n    return 8 - len(t)\n", "return 8 - width(t)"),
    (
        "from bisect import bisect_left\n\n\ndef f(a, x):\n    return bisect_left(a, x)\n",
        "from bisect import bisect_right\n\n\ndef f(a, x):\n    return bisect_right(a, x)\n",
    ),
    (
        "class S:\n    def have(self, k):\n        return 1\n\n    def free(self, k):\n        return 2\n\n\n"
        "def f(s, k):\n    return s.have(k)\n",
        "return s.free(k)",
    ),
    ("def f(a, n):\n    return f'{g(a, 0)}'\n", "return f'{g(a, 1)}'"),
    ("R = {'^'}\n\n\ndef f(n, op):\n    return f(n + 1)\n", "return f(n if op in R else n + 1)"),
    ("def f(n):\n    return n // 12\n", "return (n - 1) // 12"),
]


@pytest.mark.parametrize(("code", "wanted"), CASES)
def test_the_edit_is_among_those_proposed(code: str, wanted: str) -> None:
    source = Source("m.py", code.encode())
    texts = [each.apply(code) for each in all_edits(Scene(source), range(1, len(source.starts) + 1))]
    assert any(wanted in text for text in texts)


def test_annotations_are_left_alone() -> None:
    code = "def f(a: dict[str, int]) -> list[int]:\n    b: dict[int, str] = {}\n    return a\n"
    source = Source("m.py", code.encode())
    for each in all_edits(Scene(source), range(1, 4)):
        text = each.apply(code)
        assert "a: dict[str, int]) -> list[int]" in text
        assert "b:" not in text or "b: dict[int, str]" in text


def test_what_the_issue_quotes_is_offered() -> None:
    code = textwrap.dedent("""\
        def f(t):
            return t == "-"
        """)
    source = Source("m.py", code.encode())
    made = [each.apply(code) for each in all_edits(Scene(source, told=("+",)), range(1, 3))]
    assert any("t in ('-', '+')" in text for text in made)
