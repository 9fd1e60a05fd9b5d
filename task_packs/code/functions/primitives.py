"""The parts that composed functions are made of: filters, maps and aggregates, each with code, words and meaning.

Code templates use `{x}` (the element), `{it}` (the iteration, `x * x for x in xs if x > 0`) and the drawn values
`{n}`, `{b}`, `{m}`, `{c}`, `{s}`, `{d}`. Word templates use the same values, and `{np}` for the noun phrase.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class Filter:
    """A condition on an element. `says` follows "that" ("are even"), `before` precedes the noun, `after` follows it."""

    key: str
    code: str
    says: Sequence[str]
    test: Callable[[Any, Values], bool]
    before: str = ""
    after: str = ""
    near: Sequence[str] = ()


@dataclass(frozen=True)
class Map:
    """What is done to each element."""

    key: str
    code: str
    says: Sequence[str]
    do: Callable[[Any, Values], Any]
    near: Sequence[str] = ()


@dataclass(frozen=True)
class Agg:
    """What is made of all elements. `plain` is the code when nothing is filtered or mapped (`{p}`: the iterable)."""

    key: str
    code: str
    says: Sequence[str]
    do: Callable[[list[Any], Values], Any]
    plain: str
    near: Sequence[str] = ()
    header: str = ""
    pure: bool = False  # only makes sense on unmapped elements


EVERY = Filter("every", "", ("",), lambda x, v: True)

NUM_FILTERS = {
    f.key: f
    for f in (
        EVERY,
        Filter("even", "{x} % 2 == 0", ("are even",), lambda x, v: x % 2 == 0, before="even", near=("odd",)),
        Filter("odd", "{x} % 2 == 1", ("are odd",), lambda x, v: x % 2 == 1, before="odd", near=("even",)),
        Filter("positive", "{x} > 0", ("are positive",), lambda x, v: x > 0, before="positive", near=("negative",)),
        Filter("negative", "{x} < 0", ("are negative",), lambda x, v: x < 0, before="negative", near=("positive",)),
        Filter("nonzero", "{x} != 0", ("are not zero",), lambda x, v: x != 0, before="non-zero", near=("zero",)),
        Filter(
            "above",
            "{x} > {n}",
            ("are greater than {n}", "are above {n}"),
            lambda x, v: x > v["n"],
            after="greater than {n}",
            near=("least", "below"),
        ),
        Filter(
            "below",
            "{x} < {n}",
            ("are less than {n}", "are below {n}"),
            lambda x, v: x < v["n"],
            after="less than {n}",
            near=("most", "above"),
        ),
        Filter("least", "{x} >= {n}", ("are at least {n}",), lambda x, v: x >= v["n"], near=("above", "most")),
        Filter("most", "{x} <= {n}", ("are at most {n}",), lambda x, v: x <= v["n"], near=("below", "least")),
        Filter(
            "multiple",
            "{x} % {n} == 0",
            ("are divisible by {n}", "are multiples of {n}"),
            lambda x, v: x % v["n"] == 0,
            after="divisible by {n}",
            near=("remains",),
        ),
        Filter(
            "between",
            "{n} <= {x} <= {b}",
            ("are between {n} and {b}",),
            lambda x, v: v["n"] <= x <= v["b"],
            after="between {n} and {b}",
            near=("inside",),
        ),
    )
}

WORD_FILTERS = {
    f.key: f
    for f in (
        EVERY,
        Filter(
            "longer",
            "len({x}) > {n}",
            ("are longer than {n} letters", "have more than {n} letters"),
            lambda x, v: len(x) > v["n"],
            after="longer than {n} letters",
            near=("shorter", "notshorter"),
        ),
        Filter(
            "shorter",
            "len({x}) < {n}",
            ("are shorter than {n} letters", "have less than {n} letters"),
            lambda x, v: len(x) < v["n"],
            after="shorter than {n} letters",
            near=("longer", "notlonger"),
        ),
        Filter(
            "exact", "len({x}) == {n}", ("have exactly {n} letters",), lambda x, v: len(x) == v["n"], near=("other",)
        ),
        Filter(
            "starts",
            '{x}.startswith("{c}")',
            ('start with "{c}"',),
            lambda x, v: x.startswith(v["c"]),
            after='starting with "{c}"',
            near=("ends",),
        ),
        Filter(
            "ends",
            '{x}.endswith("{c}")',
            ('end with "{c}"',),
            lambda x, v: x.endswith(v["c"]),
            after='ending with "{c}"',
            near=("starts",),
        ),
        Filter(
            "contains",
            '"{c}" in {x}',
            ('contain "{c}"',),
            lambda x, v: v["c"] in x,
            after='containing "{c}"',
            near=("lacks",),
        ),
        Filter(
            "lacks", '"{c}" not in {x}', ('do not contain "{c}"',), lambda x, v: v["c"] not in x, near=("contains",)
        ),
        Filter(
            "upper",
            "{x}.isupper()",
            ("are upper case",),
            lambda x, v: x.isupper(),
            before="upper case",
            near=("lower",),
        ),
        Filter(
            "lower",
            "{x}.islower()",
            ("are lower case",),
            lambda x, v: x.islower(),
            before="lower case",
            near=("upper",),
        ),
    )
}

CHAR_FILTERS = {
    f.key: f
    for f in (
        Filter("vowel", '{x} in "aeiou"', ("are vowels",), lambda x, v: x in "aeiou", near=("notvowel",)),
        Filter("notvowel", '{x} not in "aeiou"', ("are not vowels",), lambda x, v: x not in "aeiou", near=("vowel",)),
        Filter("digit", "{x}.isdigit()", ("are digits",), lambda x, v: x.isdigit(), near=("letter",)),
        Filter("letter", "{x}.isalpha()", ("are letters",), lambda x, v: x.isalpha(), near=("digit",)),
        Filter(
            "upper",
            "{x}.isupper()",
            ("are upper case",),
            lambda x, v: x.isupper(),
            before="upper case",
            near=("lower",),
        ),
        Filter(
            "lower",
            "{x}.islower()",
            ("are lower case",),
            lambda x, v: x.islower(),
            before="lower case",
            near=("upper",),
        ),
        Filter("not", '{x} != "{c}"', ('are not "{c}"',), lambda x, v: x != v["c"], near=("is",)),
    )
}

# Only ever seen as a bug.
WRONG_FILTERS = {
    f.key: f
    for f in (
        Filter("zero", "{x} == 0", (), lambda x, v: x == 0),
        Filter("remains", "{x} % {n} != 0", (), lambda x, v: x % v["n"] != 0),
        Filter("inside", "{n} < {x} < {b}", (), lambda x, v: v["n"] < x < v["b"]),
        Filter("notshorter", "len({x}) >= {n}", (), lambda x, v: len(x) >= v["n"]),
        Filter("notlonger", "len({x}) <= {n}", (), lambda x, v: len(x) <= v["n"]),
        Filter("other", "len({x}) != {n}", (), lambda x, v: len(x) != v["n"]),
        Filter("is", '{x} == "{c}"', (), lambda x, v: x == v["c"]),
    )
}

SAME = Map("same", "{x}", ("{np}",), lambda x, v: x)

NUM_MAPS = {
    m.key: m
    for m in (
        SAME,
        Map(
            "square", "{x} ** 2", ("the squares of {np}", "the square of each of {np}"), lambda x, v: x**2, ("double",)
        ),
        Map("cube", "{x} ** 3", ("the cubes of {np}", "the cube of each of {np}"), lambda x, v: x**3, ("square",)),
        Map("double", "{x} * 2", ("twice {np}", "the double of each of {np}"), lambda x, v: x * 2, ("square",)),
        Map("abs", "abs({x})", ("the absolute values of {np}",), lambda x, v: abs(x), ("same",)),
        Map("plus", "{x} + {m}", ("{m} plus each of {np}",), lambda x, v: x + v["m"], ("minus",)),
        Map("times", "{x} * {m}", ("{m} times each of {np}",), lambda x, v: x * v["m"], ("plus",)),
        Map("half", "{x} // 2", ("the halves of {np}", "the half of each of {np}"), lambda x, v: x // 2, ("double",)),
        Map("rest", "{x} % {m}", ("the remainders by {m} of {np}",), lambda x, v: x % v["m"], ("times",)),
    )
}

WORD_MAPS = {
    m.key: m
    for m in (
        SAME,
        Map("toupper", "{x}.upper()", ("{np} in upper case",), lambda x, v: x.upper(), ("tolower",)),
        Map("tolower", "{x}.lower()", ("{np} in lower case",), lambda x, v: x.lower(), ("toupper",)),
        Map("title", "{x}.title()", ("{np} in title case",), lambda x, v: x.title(), ("toupper",)),
        Map("reverse", "{x}[::-1]", ("the reverse of each of {np}",), lambda x, v: x[::-1], ("same",)),
        Map("head", "{x}[:{m}]", ("the first {m} letters of each of {np}",), lambda x, v: x[: v["m"]], ("tail",)),
        Map("tail", "{x}[-{m}:]", ("the last {m} letters of each of {np}",), lambda x, v: x[-v["m"] :], ("head",)),
    )
}

CHAR_MAPS = {k: WORD_MAPS[k] for k in ("same", "toupper", "tolower")}

SIZE_MAPS = {
    m.key: m
    for m in (
        Map(
            "length",
            "len({x})",
            ("the lengths of {np}", "the length of each of {np}"),
            lambda x, v: len(x),
            ("longer1",),
        ),
        Map("times_in", '{x}.count("{k}")', ('the number of "{k}" in each of {np}',), lambda x, v: x.count(v["k"])),
    )
}

WRONG_MAPS = {
    m.key: m
    for m in (
        Map("minus", "{x} - {m}", (), lambda x, v: x - v["m"]),
        Map("longer1", "len({x}) - 1", (), lambda x, v: len(x) - 1),
    )
}


def _average(xs: list[Any], v: Values) -> float:
    return sum(xs) / len(xs) if xs else 0


def _cut_average(xs: list[Any], v: Values) -> int:
    return int(sum(xs) // len(xs)) if xs else 0


NUM_AGGS = {
    a.key: a
    for a in (
        Agg("sum", "sum({it})", ("the sum of {np}", "the total of {np}"), lambda xs, v: sum(xs), "sum({p})", ("max0",)),
        Agg(
            "product",
            "math.prod({it})",
            ("the product of {np}",),
            lambda xs, v: math.prod(xs),
            "math.prod({p})",
            ("sum",),
            "import math",
        ),
        Agg(
            "max",
            "max(({it}), default={d})",
            ("the largest of {np}, or {d} if there are none", "the maximum of {np}, or {d} if there are none"),
            lambda xs, v: max(xs, default=v["d"]),
            "max({p}, default={d})",
            ("min",),
        ),
        Agg(
            "min",
            "min(({it}), default={d})",
            ("the smallest of {np}, or {d} if there are none", "the minimum of {np}, or {d} if there are none"),
            lambda xs, v: min(xs, default=v["d"]),
            "min({p}, default={d})",
            ("max",),
        ),
        Agg(
            "average",
            "picked = [{it}]\n    return sum(picked) / len(picked) if picked else 0",
            ("the average of {np}, or 0 if there are none", "the mean of {np}, or 0 if there are none"),
            _average,
            "picked = list({p})\n    return sum(picked) / len(picked) if picked else 0",
            ("cut",),
        ),
        Agg(
            "join",
            '"{s}".join(str({e}) for {loop})',
            ('{np} joined by "{s}"', 'a text of {np} with "{s}" between them'),
            lambda xs, v: v["s"].join(map(str, xs)),
            '"{s}".join(str({x}) for {loop})',
        ),
    )
}

LIST_AGGS = {
    a.key: a
    for a in (
        Agg(
            "count",
            "sum(1 for {loop})",
            ("the number of {np}", "the count of {np}"),
            lambda xs, v: len(xs),
            "len({p})",
            ("count2",),
            "",
            True,
        ),
        Agg("list", "[{it}]", ("a list of {np}", "the list of {np}"), lambda xs, v: list(xs), "list({p})", ("sorted",)),
        Agg(
            "sorted",
            "sorted({it})",
            ("a sorted list of {np}", "{np} in rising order"),
            lambda xs, v: sorted(xs),
            "sorted({p})",
            ("desc", "list"),
        ),
        Agg(
            "desc",
            "sorted(({it}), reverse=True)",
            ("a list of {np} sorted from high to low", "{np} in falling order"),
            lambda xs, v: sorted(xs, reverse=True),
            "sorted({p}, reverse=True)",
            ("sorted",),
        ),
        Agg(
            "distinct",
            "sorted(set({it}))",
            ("a sorted list of {np} without duplicates", "the sorted distinct values among {np}"),
            lambda xs, v: sorted(set(xs)),
            "sorted(set({p}))",
            ("sorted",),
        ),
        Agg(
            "first",
            "next(({it}), None)",
            ("the first of {np}, or None if there are none",),
            lambda xs, v: next(iter(xs), None),
            "next(iter({p}), None)",
            ("final",),
        ),
        Agg(
            "final",
            "found = [{it}]\n    return found[-1] if found else None",
            ("the last of {np}, or None if there are none",),
            lambda xs, v: xs[-1] if xs else None,
            "found = list({p})\n    return found[-1] if found else None",
            ("head1",),
        ),
    )
}

WORD_AGGS = {
    a.key: a
    for a in (
        Agg(
            "glue",
            '"{s}".join({it})',
            ('{np} joined by "{s}"', 'a text of {np} with "{s}" between them'),
            lambda xs, v: v["s"].join(xs),
            '"{s}".join({p})',
        ),
        Agg(
            "longest",
            'max(({it}), key=len, default="")',
            ("the longest of {np}, or an empty text if there are none",),
            lambda xs, v: max(xs, key=len, default=""),
            'max({p}, key=len, default="")',
            ("shortest",),
        ),
        Agg(
            "shortest",
            'min(({it}), key=len, default="")',
            ("the shortest of {np}, or an empty text if there are none",),
            lambda xs, v: min(xs, key=len, default=""),
            'min({p}, key=len, default="")',
            ("longest",),
        ),
    )
}

WRONG_AGGS = {
    a.key: a
    for a in (
        Agg("max0", "max(({it}), default=0)", (), lambda xs, v: max(xs, default=0), "max({p}, default=0)"),
        Agg("count2", "sum(1 for {loop}) + 1", (), lambda xs, v: len(xs) + 1, "len({p}) + 1"),
        Agg(
            "cut",
            "picked = [{it}]\n    return sum(picked) // len(picked) if picked else 0",
            (),
            _cut_average,
            "picked = list({p})\n    return sum(picked) // len(picked) if picked else 0",
        ),
        Agg(
            "head1",
            "found = [{it}]\n    return found[0] if found else None",
            (),
            lambda xs, v: xs[0] if xs else None,
            "found = list({p})\n    return found[0] if found else None",
        ),
    )
}

QUANTIFIERS = {
    a.key: a
    for a in (
        Agg(
            "any",
            "any({it})",
            ("whether any of {np} {says}", "whether at least one of {np} {says}"),
            lambda xs, v: any(xs),
            "",
            ("all",),
        ),
        Agg(
            "all",
            "all({it})",
            ("whether all of {np} {says}", "whether each of {np} {says}"),
            lambda xs, v: all(xs),
            "",
            ("any",),
        ),
    )
}
