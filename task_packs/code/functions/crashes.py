"""Functions with a fault that crashes them, each with the traceback's cause visible in the code."""

from __future__ import annotations

import builtins
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from statistics import median
from typing import Any

from hybrid_agent.packs.draw import Draw
from task_packs.code.functions.composed import composed
from task_packs.code.functions.model import Bug, Function

Values = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """A line that crashes on the first input. `wrong` None: the import in `header` is missing instead.

    `docs`: the last is for held-out wordings, the one before for `val`. `answer` and `inputs` get the drawn values.
    """

    key: str
    params: tuple[str, ...]
    docs: tuple[str, ...]
    right: str
    wrong: str | None
    answer: Callable[..., Any]
    inputs: Callable[[Draw, Values], list[tuple[Any, ...]]]
    body: str = "{line}"
    second: str = ""
    header: str = ""


def _ints(draw: Draw) -> list[int]:
    return [draw.number(-5, 20) for _ in range(draw.number(3, 6))]


def _empty_first(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    return [([],), ([4, 9, 2],), (_ints(draw),), ([7],), (_ints(draw),)]


def _none_first(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    return [(None,), ([4, 9, 2],), (_ints(draw),), ([],), (_ints(draw),)]


def _full(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    return [([3, 8, 5, 6],), ([4, 4, 9],), (_ints(draw),), (_ints(draw),), ([1, 2],)]


def _no_text(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    return [(None,), (draw.word(),), (draw.phrase(2, 3),), ("",)]


def _words(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    a, b, c = draw.word(), draw.word(), draw.word()
    return [([a, b, a],), ([c, b, c, c],), ([b],), ([a, c, "oak"],), ([],)]


def _rows(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    k = v["k"]
    return [([{k: 4}, {"id": 1}],), ([{k: 2}, {k: v["n"]}],), ([{"id": 3}],), ([],), ([{k: -1}, {}, {k: 8}],)]


def _lookups(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    k = draw.word()
    return [({k: 4}, "none"), ({k: 2}, k), ({}, k), ({"id": v["n"], k: 0}, "id")]


def _tables(draw: Draw, v: Values) -> list[tuple[Any, ...]]:
    tables = [{draw.word(): draw.number(0, 12) for _ in range(size)} for size in (3, 4, 2, 3)]
    return [(t,) for t in tables] + [({},)]


FAULTS = (
    Fault(
        "missing_key",
        ("rows", "records"),
        (
            'Return the sum of "{k}" in {p}; a missing value counts as 0.',
            'Add up the "{k}" values in {p}; a missing value counts as 0.',
            'Compute the sum of the "{k}" values in {p}; a missing value counts as 0.',
            'Give back the sum of "{k}" in {p}; a missing value counts as 0.',
        ),
        'return sum(r.get("{k}", 0) for r in {p})',
        'return sum(r["{k}"] for r in {p})',
        lambda v, rows: sum(row[v["k"]] for row in rows if v["k"] in row),
        _rows,
    ),
    Fault(
        "lookup",
        ("table", "scores", "prices"),
        (
            "Return the value of {q} in {p}, or {d} if it is missing.",
            "Look up {q} in {p}; if it is missing return {d}.",
            "Give back the value of {q} in {p}, or {d} if it is missing.",
            "Return the value of {q} in {p}; if it is missing return {d}.",
        ),
        "return {p}.get({q}, {d})",
        "return {p}[{q}]",
        lambda v, table, key: table[key] if key in table else v["d"],
        _lookups,
        second="key",
    ),
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
        _full,
    ),
    Fault(
        "mean",
        ("xs", "nums", "values"),
        (
            "Return the mean of {p}, or 0 if it is empty.",
            "Return the average of {p}; if it is empty return 0.",
            "Give back the mean of {p}, or 0 if it is empty.",
            "Compute the average of {p}, or 0 if it is empty.",
        ),
        "return sum({p}) / len({p}) if {p} else 0",
        "return sum({p}) / len({p})",
        lambda v, xs: sum(xs) / len(xs) if xs else 0,
        _empty_first,
    ),
    Fault(
        "first",
        ("xs", "nums", "values"),
        (
            "Return the first of {p}, or None if it is empty.",
            "Return the first value of {p}; if it is empty return None.",
            "Give back the first of {p}, or None if it is empty.",
            "Give back the first value of {p}, or None if it is empty.",
        ),
        "return {p}[0] if {p} else None",
        "return {p}[0]",
        lambda v, xs: next(iter(xs), None),
        _empty_first,
    ),
    Fault(
        "last",
        ("xs", "nums", "values"),
        (
            "Return the last of {p}, or None if it is empty.",
            "Return the last value of {p}; if it is empty return None.",
            "Give back the last of {p}, or None if it is empty.",
            "Give back the last value of {p}, or None if it is empty.",
        ),
        "return {p}[-1] if {p} else None",
        "return {p}[-1]",
        lambda v, xs: next(reversed(xs), None),
        _empty_first,
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
        _full,
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
        _full,
    ),
    Fault(
        "none_sum",
        ("xs", "nums", "values"),
        (
            "Return the sum of {p}; None counts as empty.",
            "Return the total of {p}; None counts as empty.",
            "Give back the sum of {p}; None counts as empty.",
            "Compute the total of {p}; None counts as empty.",
        ),
        "return sum({p} or [])",
        "return sum({p})",
        lambda v, xs: 0 if xs is None else sum(xs),
        _none_first,
    ),
    Fault(
        "none_times",
        ("xs", "nums", "values"),
        (
            "Return {n} times each of {p}; None counts as empty.",
            "Return a list of {n} times each of {p}; None counts as empty.",
            "Give back {n} times each of {p}; None counts as empty.",
            "Compute a list of {n} times each of {p}; None counts as empty.",
        ),
        "return [x * {n} for x in {p} or []]",
        "return [x * {n} for x in {p}]",
        lambda v, xs: [v["n"] * x for x in ([] if xs is None else xs)],
        _none_first,
    ),
    Fault(
        "none_upper",
        ("text", "word"),
        (
            "Return {p} in upper case; None counts as empty.",
            "Return the upper case of {p}; None counts as empty.",
            "Give back {p} in upper case; None counts as empty.",
            "Compute the upper case of {p}; None counts as empty.",
        ),
        'return ({p} or "").upper()',
        "return {p}.upper()",
        lambda v, text: "" if text is None else text.upper(),
        _no_text,
    ),
    Fault(
        "none_len",
        ("text", "word"),
        (
            "Return the length of {p}; None counts as empty.",
            "Return the number of characters of {p}; None counts as empty.",
            "Give back the length of {p}; None counts as empty.",
            "Compute the number of characters of {p}; None counts as empty.",
        ),
        'return len({p} or "")',
        "return len({p})",
        lambda v, text: 0 if text is None else len(text),
        _no_text,
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
        "int_empty",
        ("text", "word"),
        (
            "Return {p} as a number; an empty text counts as 0.",
            "Return the number in {p}; an empty text counts as 0.",
            "Give back {p} as a number; an empty text counts as 0.",
            "Give back the number in {p}; an empty text counts as 0.",
        ),
        "return int({p} or 0)",
        "return int({p})",
        lambda v, text: 0 if text == "" else int(text),
        lambda d, v: [("",), ("12",), ("-3",), (str(d.number(10, 99)),)],
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
        _full,
        body="found = []\nfor x in {p}:\n{line}\nreturn found",
    ),
    Fault(
        "tally",
        ("words", "names"),
        (
            "Return how often each of {p} occurs, as a dict.",
            "Return a dict that counts each of {p}.",
            "Give back how often each of {p} occurs, as a dict.",
            "Give back a dict that counts each of {p}.",
        ),
        "    found[w] = found.get(w, 0) + 1",
        "    found[w] = found[w] + 1",
        lambda v, words: dict(Counter(words)),
        _words,
        body="found = {{}}\nfor w in {p}:\n{line}\nreturn found",
    ),
    Fault(
        "groups",
        ("words", "names"),
        (
            "Group {p} by their length, as a dict of lists.",
            "Return a dict of lists that has {p} by their length.",
            "Return {p} by their length, as a dict of lists.",
            "Give back a dict of lists that has {p} by their length.",
        ),
        "    found.setdefault(len(w), []).append(w)",
        "    found[len(w)].append(w)",
        lambda v, words: {n: [w for w in words if len(w) == n] for n in {len(w) for w in words}},
        _words,
        body="found = {{}}\nfor w in {p}:\n{line}\nreturn found",
    ),
    Fault(
        "largest",
        ("xs", "nums", "values"),
        (
            "Return the largest of {p}, or {d} if it is empty.",
            "Return the maximum of {p}; if it is empty return {d}.",
            "Give back the largest of {p}, or {d} if it is empty.",
            "Compute the maximum of {p}, or {d} if it is empty.",
        ),
        "return max({p}, default={d})",
        "return max({p})",
        lambda v, xs: sorted(xs)[-1] if xs else v["d"],
        _empty_first,
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
        _tables,
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
        _tables,
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
        _full,
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
        _full,
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
        _full,
        header="import math",
    ),
)


@dataclass(frozen=True)
class Crash:
    """A function that crashes on its first input: a wrong line (`bug`), or an import that is missing (None)."""

    function: Function
    bug: Bug | None


def crash(draw: Draw) -> Crash:
    """Draw a crash: one of the faults above, or a misspelt name in a composed function."""
    if draw.split == "test_composition" or draw.chance(0.35):
        return _misspelt(draw)
    fault = draw.choice(FAULTS)
    v: Values = {
        "p": draw.choice(fault.params),
        "q": fault.second,
        "n": draw.number(2, 9),
        "d": draw.choice([0, -1, None]),
        "k": draw.word(),
        "s": draw.choice([",", "-", " ", "/", ", ", "+", ":"]),
    }
    docs = {"val": fault.docs[-2:-1], "test_paraphrase": fault.docs[-1:]}.get(draw.split, fault.docs[:-2])
    body, bug = _lines(fault.body, fault.right, v), None
    if fault.wrong is not None:
        wrong = _lines(fault.body, fault.wrong, v)
        bug = Bug(wrong, next(i for i, line in enumerate(wrong) if line != body[i]))
    answer = fault.answer
    return Crash(
        Function(
            key=("crash", fault.key),
            params=(v["p"], fault.second) if fault.second else (v["p"],),
            body=body,
            doc=draw.choice(docs).format(**v),
            reference=lambda *args: answer(v, *args),
            inputs=tuple(fault.inputs(draw, v)),
            header=fault.header,
        ),
        bug,
    )


def _lines(body: str, line: str, v: Values) -> tuple[str, ...]:
    return tuple("    " + part for part in body.replace("{line}", line).format(**v).split("\n"))


_ALWAYS_RUN = re.compile(r"return (\w+)\(|\.(values|items|split|splitlines)\(")


def _misspelt(draw: Draw) -> Crash:
    """A composed function with one name misspelt where it is evaluated on every input."""
    while True:
        function = composed(draw)
        names = {*function.params, "found", "picked"}
        names.update(
            part for match in _ALWAYS_RUN.finditer("\n".join(function.body)) for part in match.groups() if part
        )
        spots = [
            (index, found)
            for index, line in enumerate(function.body)
            for name in sorted(names)
            if len(found := re.findall(rf"\b{name}\b", line)) == 1 and len(name) > 1
        ]
        spots = [spot for spot in spots if not function.body[spot[0]].strip().startswith(f"{spot[1][0]} =")]
        if not spots:
            continue
        index, (name, *_) = draw.choice(spots)
        wrong_name = misspell(draw, name)
        known = set(re.findall(r"\w+", "\n".join(function.body)))
        if wrong_name in known or hasattr(builtins, wrong_name):
            continue
        line = re.sub(rf"\b{name}\b", wrong_name, function.body[index])
        body = (*function.body[:index], line, *function.body[index + 1 :])
        return Crash(replace(function, bugs=()), Bug(body, index))


def misspell(draw: Draw, name: str) -> str:
    """The name with a letter dropped, doubled or swapped with its neighbour."""
    i = draw.number(0, len(name) - 2)
    forms = [name[:i] + name[i + 1 :], name[: i + 1] + name[i:], name[:i] + name[i + 1] + name[i] + name[i + 2 :]]
    return draw.choice([form for form in forms if form != name])
