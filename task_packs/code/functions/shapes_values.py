"""Classic functions of texts, numbers and dicts."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from task_packs.code.functions import answers as A
from task_packs.code.functions.shape import Args, Shape


def _pairs(draw: Draw, n: int) -> list[Args]:
    return [(12, 18), (35, 21), (9, 4), (draw.number(20, 90), draw.number(20, 90)), (7, 7), (100, 75)]


def _texts(draw: Draw, n: int) -> list[Args]:
    a, b, c = draw.word(), draw.word(), draw.word()
    return [(f"{a} {b} {a}",), (f"{c} {b} {c} {c}",), (f"{b} {c} {a}",), (f"{c} {a}",), (f"{a} {a} {b} {b}",), ("",)]


def _words(draw: Draw, n: int) -> list[Args]:
    a, b, c, d = (draw.word() for _ in range(4))
    return [([a, b, c, a],), ([d, c, d, "oak", "owl"],), ([c, b, "ash", "ant"],), ([a, d],), ([b],), ([],)]


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
)
