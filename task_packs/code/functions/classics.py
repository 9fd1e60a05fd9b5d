"""Classic small functions with parameter variations: loops, dicts, recursion, brackets, searches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hybrid_agent.packs.draw import Draw
from task_packs.code.functions import answers as A
from task_packs.code.functions.model import Bug, Function

Args = tuple[Any, ...]


@dataclass(frozen=True)
class Shape:
    """One classic. `docs` are sentences (the last but one is for `val`, the last for held-out wordings).

    `bugs` pair a line's text with a wrong one. Templates use the parameters `{p}`, `{q}` and the
    drawn number `{n}`.
    """

    key: str
    params: tuple[str, ...]
    docs: tuple[str, ...]
    body: str
    bugs: tuple[tuple[str, str], ...]
    answer: Callable[..., Any]
    inputs: Callable[[Draw, int], list[Args]]


def _ints(draw: Draw, low: int = -9, high: int = 20, size: int = 5) -> list[int]:
    return [draw.number(low, high) for _ in range(size)]


def _lists(draw: Draw, n: int) -> list[Args]:
    return [
        ([3, 1, 4, 1, 5],),
        ([5, -2, 5, 7, 2, 2],),
        ([10, 9, 8, 9],),
        (_ints(draw),),
        (_ints(draw, size=7),),
        ([n],),
        ([],),
    ]


def _pairs(draw: Draw, n: int) -> list[Args]:
    return [(12, 18), (35, 21), (9, 4), (draw.number(20, 90), draw.number(20, 90)), (7, 7), (100, 75)]


def _texts(draw: Draw, n: int) -> list[Args]:
    a, b, c = draw.word(), draw.word(), draw.word()
    return [(f"{a} {b} {a}",), (f"{c} {b} {c} {c}",), (f"{b} {c} {a}",), (f"{c} {a}",), (f"{a} {a} {b} {b}",), ("",)]


def _words(draw: Draw, n: int) -> list[Args]:
    a, b, c, d = (draw.word() for _ in range(4))
    return [([a, b, c, a],), ([d, c, d, "oak", "owl"],), ([c, b, "ash", "ant"],), ([a, d],), ([b],), ([],)]


def _nested(draw: Draw, n: int) -> list[Args]:
    return [
        ([[1, 2], [3]],),
        ([[4], [], [5, 6]],),
        ([_ints(draw, size=3), [7]],),
        ([[]],),
        ([],),
        ([_ints(draw), _ints(draw)],),
    ]


def _sized(draw: Draw, n: int) -> list[Args]:
    return [
        (list(range(2 * n + 1)),),
        (_ints(draw, size=n + 2),),
        (_ints(draw, size=2 * n),),
        (_ints(draw, size=n),),
        ([1],),
        ([],),
    ]


def _counts(draw: Draw, n: int) -> list[Args]:
    return [(5,), (2 * n,), (n + 1,), (n,), (1,), (3 * n + 1,)]


def _dicts(draw: Draw, n: int) -> list[Args]:
    a, b, c = "red", "blue", "green"
    return [
        ({a: 1, b: 2}, {b: 5, c: 4}),
        ({c: 7}, {c: 1, a: 3}),
        ({a: n}, {a: n + 1}),
        ({}, {a: 1}),
        ({b: 2}, {}),
        ({}, {}),
    ]


def _inside(draw: Draw, n: int) -> list[Args]:
    return [(-3,), (n + 5,), (n,), (0,), (1,), (draw.number(-20, 20),)]


def _brackets(draw: Draw, n: int) -> list[Args]:
    return [("(a(b))",), ("(()",), ("())(",), ("a)",), ("()()",), ("",), (")(",)]


def _mirrors(draw: Draw, n: int) -> list[Args]:
    word = draw.word()
    return [("level",), (word + "q",), ("Noon",), (word + word[::-1],), ("",), ("ab",)]


def _search(draw: Draw, n: int) -> list[Args]:
    xs = sorted(set(_ints(draw, 0, 40, 8)) - {50})
    return [([1, 3, 5, 7], 7), ([2, 4, 6], 5), ([1, 2, 3], 1), (xs, xs[0]), (xs, xs[-1]), (xs, 50), ([], 1)]


SHAPES = (
    Shape(
        "gcd",
        ("a", "b"),
        (
            "Return the greatest common divisor of {p} and {q}.",
            "Return the largest number that divides both {p} and {q}.",
            "Compute the largest common divisor of {p} and {q}.",
            "Give back the greatest number that divides {p} and {q}.",
        ),
        "while {q}:\n    {p}, {q} = {q}, {p} % {q}\nreturn {p}",
        (("    {p}, {q} = {q}, {p} % {q}", "    {p}, {q} = {q}, {p} // {q}"), ("return {p}", "return {q}")),
        A.gcd,
        _pairs,
    ),
    Shape(
        "running",
        ("xs", "nums", "values"),
        (
            "Return the running totals of {p}.",
            "Return a list with the total of {p} up to each place.",
            "Give back the running totals of {p}.",
            "Compute the running totals of {p} up to each place.",
        ),
        "total = 0\nfound = []\nfor x in {p}:\n    total += x\n    found.append(total)\nreturn found",
        (
            ("    total += x", "    total = x"),
            ("    found.append(total)", "    found.append(x)"),
            ("total = 0", "total = 1"),
        ),
        A.running,
        _lists,
    ),
    Shape(
        "wordcount",
        ("text",),
        (
            "Return how often each word of {p} occurs, as a dict.",
            "Return a dict that counts each word of {p}.",
            "Give back a dict that counts how often each word of {p} occurs.",
            "Compute a dict of how often each word occurs in {p}.",
        ),
        "found = {{}}\nfor w in {p}.split():\n    found[w] = found.get(w, 0) + 1\nreturn found",
        (
            ("    found[w] = found.get(w, 0) + 1", "    found[w] = found.get(w, 1) + 1"),
            ("for w in {p}.split():", "for w in {p}:"),
        ),
        A.wordcount,
        _texts,
    ),
    Shape(
        "groups",
        ("words", "names"),
        (
            "Group {p} by the first letter, as a dict of lists.",
            "Return a dict of the first letters with the list of {p} that start so.",
            "Give back {p} by the first letter, as a dict of lists.",
            "Compute a dict of lists that has {p} by the first letter.",
        ),
        "found = {{}}\nfor w in {p}:\n    found.setdefault(w[0], []).append(w)\nreturn found",
        (("    found.setdefault(w[0], []).append(w)", "    found.setdefault(w[-1], []).append(w)"),),
        A.groups,
        _words,
    ),
    Shape(
        "dedupe",
        ("xs", "nums", "values"),
        (
            "Return {p} without duplicates, in the same order.",
            "Drop the duplicates of {p} and keep the order.",
            "Give back {p} without duplicates and keep the order.",
            "Return {p} in the same order and drop the duplicates.",
        ),
        "found = []\nfor x in {p}:\n    if x not in found:\n        found.append(x)\nreturn found",
        (("    if x not in found:", "    if x in found:"),),
        A.dedupe,
        _lists,
    ),
    Shape(
        "flatten",
        ("grid", "rows"),
        (
            "Return all values of the lists in {p} as one list.",
            "Join the lists in {p} to one list.",
            "Give back the lists in {p} as one list.",
            "Return one list of all values of the lists in {p}.",
        ),
        "found = []\nfor row in {p}:\n    found.extend(row)\nreturn found",
        (("    found.extend(row)", "    found.append(row)"),),
        A.flatten,
        _nested,
    ),
    Shape(
        "clamp",
        ("x", "value"),
        (
            "Return {p}, but at least 0 and at most {n}.",
            "Keep {p} between 0 and {n} and return it.",
            "Give back {p}, but at least 0 and at most {n}.",
            "Return {p} and keep it between 0 and {n}.",
        ),
        "return max(0, min({p}, {n}))",
        (("return max(0, min({p}, {n}))", "return min(0, max({p}, {n}))"),),
        A.clamp,
        _inside,
    ),
    Shape(
        "backwards",
        ("text",),
        (
            "Return {p} with its words in reverse order.",
            "Reverse the order of the words of {p}.",
            "Give back {p} with its words in reverse order.",
            "Return the words of {p} in reverse order, as a text.",
        ),
        'return " ".join(reversed({p}.split()))',
        (('return " ".join(reversed({p}.split()))', 'return " ".join(sorted({p}.split()))'),),
        A.backwards,
        _texts,
    ),
    Shape(
        "mirror",
        ("text", "word"),
        (
            "Return whether {p} reads the same in reverse, in any case.",
            "Return whether {p} is a palindrome, in any case.",
            "Give back whether {p} is a palindrome, in any case.",
            "Compute whether {p} reads the same in reverse, in any case.",
        ),
        "{p} = {p}.lower()\nreturn {p} == {p}[::-1]",
        (("return {p} == {p}[::-1]", "return {p} != {p}[::-1]"), ("{p} = {p}.lower()", "{p} = {p}.title()")),
        A.mirror,
        _mirrors,
    ),
    Shape(
        "merge",
        ("a", "b"),
        (
            "Return one dict of {p} and {q}; the values of {q} win.",
            "Merge the dicts {p} and {q}; the values of {q} win.",
            "Give back one dict of {p} and {q}; the values of {q} win.",
            "Return the dicts {p} and {q} as one dict; the values of {q} win.",
        ),
        "found = dict({p})\nfound.update({q})\nreturn found",
        (("found = dict({p})", "found = dict({q})"), ("found.update({q})", "found.update({p})")),
        A.merge,
        _dicts,
    ),
    Shape(
        "chunks",
        ("xs", "nums", "values"),
        (
            "Cut {p} into lists of {n}; the last may be shorter.",
            "Return {p} in chunks of {n}; the last may be shorter.",
            "Give back {p} in chunks of {n}; the last may be shorter.",
            "Return {p} as lists of {n}; the last may be shorter.",
        ),
        "return [{p}[i:i + {n}] for i in range(0, len({p}), {n})]",
        (
            (
                "return [{p}[i:i + {n}] for i in range(0, len({p}), {n})]",
                "return [{p}[i:i + {n}] for i in range(0, len({p}))]",
            ),
            (
                "return [{p}[i:i + {n}] for i in range(0, len({p}), {n})]",
                "return [{p}[i:{n}] for i in range(0, len({p}), {n})]",
            ),
        ),
        A.chunks,
        _sized,
    ),
    Shape(
        "steps",
        ("xs", "nums", "values"),
        (
            "Return the differences between neighbours in {p}.",
            "Return a list of each number in {p} minus the one before it.",
            "Give back the differences between neighbours in {p}.",
            "Compute a list of the differences between neighbours in {p}.",
        ),
        "return [b - a for a, b in zip({p}, {p}[1:])]",
        (("return [b - a for a, b in zip({p}, {p}[1:])]", "return [a - b for a, b in zip({p}, {p}[1:])]"),),
        A.steps,
        _lists,
    ),
    Shape(
        "search",
        ("xs", "x"),
        (
            "Return the place of {q} in the sorted list {p}, or -1.",
            "Find {q} in the sorted list {p} by halves; return -1 if it is missing.",
            "Find the place of {q} in the sorted list {p}, or -1.",
            "Give back the place of {q} in the sorted list {p}; return -1 if it is missing.",
        ),
        "left, right = 0, len({p}) - 1\nwhile left <= right:\n    i = (left + right) // 2\n    if {p}[i] == {q}:\n"
        "        return i\n    if {p}[i] < {q}:\n        left = i + 1\n    else:\n        right = i - 1\nreturn -1",
        (
            ("while left <= right:", "while left < right:"),
            ("left, right = 0, len({p}) - 1", "left, right = 0, len({p}) - 2"),
        ),
        A.search,
        _search,
    ),
    Shape(
        "brackets",
        ("text",),
        (
            "Return whether the round brackets in {p} are balanced.",
            "Return whether each round bracket in {p} has its partner.",
            "Give back whether the round brackets in {p} are balanced.",
            "Compute whether each round bracket in {p} has its partner.",
        ),
        'depth = 0\nfor c in {p}:\n    if c == "(":\n        depth += 1\n    elif c == ")":\n        depth -= 1\n'
        "    if depth < 0:\n        return False\nreturn depth == 0",
        (
            ("return depth == 0", "return depth != 0"),
            ("    if depth < 0:", "    if depth > 0:"),
            ("        depth -= 1", "        depth += 1"),
        ),
        A.brackets,
        _brackets,
    ),
    Shape(
        "fizz",
        ("limit", "count"),
        (
            'Return the numbers from 1 to {p}, with "fizz" for multiples of {n}.',
            'List 1 to {p}, but write "fizz" for multiples of {n}.',
            'Give back the numbers from 1 to {p}, with "fizz" for multiples of {n}.',
            'Return 1 to {p} as a list, but "fizz" for multiples of {n}.',
        ),
        'return ["fizz" if i % {n} == 0 else i for i in range(1, {p} + 1)]',
        (
            (
                'return ["fizz" if i % {n} == 0 else i for i in range(1, {p} + 1)]',
                'return ["fizz" if i % {n} == 0 else i for i in range(1, {p})]',
            ),
            (
                'return ["fizz" if i % {n} == 0 else i for i in range(1, {p} + 1)]',
                'return ["fizz" if i % {n} == 0 else i for i in range({p} + 1)]',
            ),
        ),
        A.fizz,
        _counts,
    ),
    Shape(
        "windows",
        ("xs", "nums", "values"),
        (
            "Return the sums of every {n} neighbours in {p}.",
            "Return the sum of each window of {n} values in {p}.",
            "Give back the sum of each window of {n} values in {p}.",
            "Compute the sums of every {n} neighbours in {p}.",
        ),
        "return [sum({p}[i:i + {n}]) for i in range(len({p}) - {n} + 1)]",
        (
            (
                "return [sum({p}[i:i + {n}]) for i in range(len({p}) - {n} + 1)]",
                "return [sum({p}[i:i + {n}]) for i in range(len({p}) - {n})]",
            ),
        ),
        A.windows,
        _sized,
    ),
)


def classic(draw: Draw) -> Function:
    """Draw a classic function with its parameter names, wording and number."""
    shape = draw.choice(SHAPES)
    two = "{q}" in shape.body
    params = shape.params if two else (draw.choice(shape.params),)
    number = draw.number(2, 5) if shape.key != "clamp" else draw.number(5, 12)
    values = {"p": params[0], "q": params[-1], "n": number}
    docs = {"val": shape.docs[-2:-1], "test_paraphrase": shape.docs[-1:]}.get(draw.split, shape.docs[:-2])
    body = tuple("    " + line for line in shape.body.format(**values).split("\n"))
    bugs = []
    for right, wrong in shape.bugs:
        line = body.index("    " + right.format(**values))
        bugs.append(Bug((*body[:line], "    " + wrong.format(**values), *body[line + 1 :]), line))
    answer = shape.answer
    return Function(
        key=("classic", shape.key),
        params=params,
        body=body,
        doc=draw.choice(docs).format(**values),
        reference=lambda *args: answer(number, *args),
        inputs=tuple(shape.inputs(draw, number)),
        bugs=tuple(bugs),
    )
