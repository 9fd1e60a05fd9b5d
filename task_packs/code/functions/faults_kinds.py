"""Faults of kind: a number for a text, an index past the end, a method of another type, an import that is missing."""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate, pairwise
from statistics import median

from task_packs.code.functions.fault import Fault, full, tables

FAULTS = (
    Fault(
        "label",
        ("count", "number", "value"),
        (
            'Return the text "{k}: " and the number {p}.',
            'Return the number {p} behind the text "{k}: ".',
            'Give back the text "{k}: " and the number {p}.',
            'Give back the number {p} behind the text "{k}: ".',
        ),
        'return "{k}: " + str({p})',
        'return "{k}: " + {p}',
        lambda v, number: f"{v['k']}: {number}",
        lambda d, v: [(v["n"],), (0,), (-4,), (d.number(10, 99),)],
    ),
    Fault(
        "join",
        ("xs", "nums", "values"),
        (
            'Return the numbers in {p} joined by "{s}".',
            'Join the numbers in {p} by "{s}".',
            'Give back the numbers in {p} joined by "{s}".',
            'Return a text of the numbers in {p} joined by "{s}".',
        ),
        'return "{s}".join(str(x) for x in {p})',
        'return "{s}".join({p})',
        lambda v, xs: v["s"].join(map(str, xs)),
        full,
    ),
    Fault(
        "steps",
        ("xs", "nums", "values"),
        (
            "Return the differences between neighbours in {p}.",
            "Return a list of each number in {p} minus the one before it.",
            "Give back the differences between neighbours in {p}.",
            "Compute a list of the differences between neighbours in {p}.",
        ),
        "return [{p}[i + 1] - {p}[i] for i in range(len({p}) - 1)]",
        "return [{p}[i + 1] - {p}[i] for i in range(len({p}))]",
        lambda v, xs: [b - a for a, b in pairwise(xs)],
        full,
    ),
    Fault(
        "rises",
        ("xs", "nums", "values"),
        (
            "Return how often a number in {p} is less than the next.",
            "Count the numbers in {p} that are less than the next.",
            "Compute how often a number in {p} is less than the next.",
            "Return the count of the numbers in {p} that are less than the next.",
        ),
        "return sum({p}[i] < {p}[i + 1] for i in range(len({p}) - 1))",
        "return sum({p}[i] < {p}[i + 1] for i in range(len({p})))",
        lambda v, xs: len([1 for a, b in pairwise(xs) if a < b]),
        full,
    ),
    Fault(
        "int_sum",
        ("values", "words"),
        (
            "Return the sum of the numbers that {p} has as text.",
            "Add up the numbers that {p} has as text.",
            "Compute the sum of the numbers that {p} has as text.",
            "Give back the sum of the numbers that {p} has as text.",
        ),
        "return sum(int(x) for x in {p})",
        "return sum({p})",
        lambda v, xs: sum(map(int, xs)),
        lambda d, v: [(["3", "4"],), ([str(v["n"]), "-2", "8"],), (["5"],), ([str(d.number(10, 99))],), ([],)],
    ),
    Fault(
        "append",
        ("xs", "nums", "values"),
        (
            "Return a list of {n} times each of {p}.",
            "Return {n} times each of {p}.",
            "Give back a list of {n} times each of {p}.",
            "Compute a list of {n} times each of {p}.",
        ),
        "    found.append(x * {n})",
        "    found.add(x * {n})",
        lambda v, xs: [v["n"] * x for x in xs],
        full,
        body="found = []\nfor x in {p}:\n{line}\nreturn found",
    ),
    Fault(
        "items",
        ("table", "scores", "prices"),
        (
            "Return a list of the keys of {p} whose value is above {n}.",
            "List the keys of {p} with a value above {n}.",
            "Give back a list of the keys of {p} whose value is above {n}.",
            "Return a list of the keys of {p} with a value above {n}.",
        ),
        "return [k for k, v in {p}.items() if v > {n}]",
        "return [k for k, v in {p} if v > {n}]",
        lambda v, table: [key for key in table if table[key] > v["n"]],
        tables,
    ),
    Fault(
        "isqrt",
        ("number", "value"),
        (
            "Return the square root of {p}, cut to a whole number.",
            "Return the whole part of the square root of {p}.",
            "Give back the square root of {p}, cut to a whole number.",
            "Compute the whole part of the square root of {p}.",
        ),
        "return math.isqrt({p})",
        None,
        lambda v, x: int(x**0.5),
        lambda d, v: [(16,), (30,), (0,), (d.number(2, 400),)],
        header="import math",
    ),
    Fault(
        "dumps",
        ("table", "scores"),
        (
            "Return {p} as JSON with sorted keys.",
            "Return the JSON text of {p} with sorted keys.",
            "Give back {p} as JSON with sorted keys.",
            "Give back the JSON text of {p} with sorted keys.",
        ),
        "return json.dumps({p}, sort_keys=True)",
        None,
        lambda v, table: json.dumps(dict(sorted(table.items()))),
        tables,
        header="import json",
    ),
    Fault(
        "digits",
        ("text", "word"),
        (
            "Return a list of the numbers in {p}, as texts.",
            "List the numbers in {p}, as texts.",
            "Give back a list of the numbers in {p}, as texts.",
            "Find the numbers in {p} and return a list of texts.",
        ),
        'return re.findall("[0-9]+", {p})',
        None,
        lambda v, text: re.sub("[^0-9]", " ", text).split(),
        lambda d, v: [("a1 b22",), (f"{d.word()} {v['n']}",), ("",), ("2026-11-20",)],
        header="import re",
    ),
    Fault(
        "accumulate",
        ("xs", "nums", "values"),
        (
            "Return the running totals of {p}.",
            "Return a list with the total of {p} up to each place.",
            "Give back the running totals of {p}.",
            "Compute the running totals of {p} up to each place.",
        ),
        "return list(itertools.accumulate({p}))",
        None,
        lambda v, xs: list(accumulate(xs)),
        full,
        header="import itertools",
    ),
    Fault(
        "median",
        ("xs", "nums", "values"),
        (
            "Return the median of {p}.",
            "Return the middle value of {p} in rising order.",
            "Give back the median of {p}.",
            "Compute the middle value of {p} in rising order.",
        ),
        "return statistics.median({p})",
        None,
        lambda v, xs: median(xs),
        full,
        header="import statistics",
    ),
    Fault(
        "product",
        ("xs", "nums", "values"),
        (
            "Return the product of {p}.",
            "Return the product of all numbers in {p}.",
            "Give back the product of {p}.",
            "Compute the product of all numbers in {p}.",
        ),
        "return math.prod({p})",
        None,
        lambda v, xs: math.prod(xs),
        full,
        header="import math",
    ),
)
