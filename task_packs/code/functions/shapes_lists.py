"""Classic functions of lists."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from task_packs.code.functions import answers as A
from task_packs.code.functions.shape import Args, Shape, ints


def _lists(draw: Draw, n: int) -> list[Args]:
    return [
        ([3, 1, 4, 1, 5],),
        ([5, -2, 5, 7, 2, 2],),
        ([10, 9, 8, 9],),
        (ints(draw),),
        (ints(draw, size=7),),
        ([n],),
        ([],),
    ]


def _nested(draw: Draw, n: int) -> list[Args]:
    return [
        ([[1, 2], [3]],),
        ([[4], [], [5, 6]],),
        ([ints(draw, size=3), [7]],),
        ([[]],),
        ([],),
        ([ints(draw), ints(draw)],),
    ]


def _sized(draw: Draw, n: int) -> list[Args]:
    return [
        (list(range(2 * n + 1)),),
        (ints(draw, size=n + 2),),
        (ints(draw, size=2 * n),),
        (ints(draw, size=n),),
        ([1],),
        ([],),
    ]


def _search(draw: Draw, n: int) -> list[Args]:
    xs = sorted(set(ints(draw, 0, 40, 8)) - {50})
    return [([1, 3, 5, 7], 7), ([2, 4, 6], 5), ([1, 2, 3], 1), (xs, xs[0]), (xs, xs[-1]), (xs, 50), ([], 1)]


SHAPES = (
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
