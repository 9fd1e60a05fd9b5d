"""What is made of all elements."""

from __future__ import annotations

import math
from typing import Any

from task_packs.code.functions.parts import Agg, Values


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
