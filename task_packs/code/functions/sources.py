"""Where the elements of a composed function come from: lists, texts, dicts, rows, grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hybrid_agent.packs.draw import Draw
from task_packs.code.functions.parts import Values

Pair = tuple[Any, Any]  # (what the filter looks at, what the map works on)


@dataclass(frozen=True)
class Source:
    """`loop` is the clause after `for`; `iterable` the plain iterable (None: there is none).

    `tested`/`mapped` are the expressions of the element for filters and maps. `whose` is set when these differ.
    `make` builds an argument from drawn elements, `pairs` takes it apart again.
    """

    key: str
    params: Sequence[str]
    loop: str
    tested: str
    mapped: str
    iterable: str | None
    noun: str
    place: str
    make: Callable[[list[Any], Draw, Values], Any]
    pairs: Callable[[Any, Values], list[Pair]]
    whose: str = ""


def _same(xs: Any, v: Values) -> list[Pair]:
    return [(x, x) for x in xs]


def _keyed(xs: list[Any], draw: Draw, v: Values) -> dict[str, Any]:
    return {f"{draw.word()}": x for x in xs}


def _rows(xs: list[Any], draw: Draw, v: Values) -> list[dict[str, Any]]:
    return [{v["k1"]: draw.word(), v["k2"]: x} for x in xs]


def _grid(xs: list[Any], draw: Draw, v: Values) -> list[list[Any]]:
    cut = draw.number(0, len(xs))
    return [xs[:cut], xs[cut:]]


NUMBERS = {
    s.key: s
    for s in (
        Source(
            "list",
            ("xs", "nums", "values"),
            "x in {p}",
            "x",
            "x",
            "{p}",
            "numbers",
            "in {p}",
            lambda xs, d, v: xs,
            _same,
        ),
        Source(
            "dict",
            ("scores", "prices", "table"),
            "x in {p}.values()",
            "x",
            "x",
            "{p}.values()",
            "values",
            "of {p}",
            _keyed,
            lambda a, v: _same(a.values(), v),
        ),
        Source(
            "rows",
            ("rows", "records"),
            "r in {p}",
            'r["{k2}"]',
            'r["{k2}"]',
            None,
            '"{k2}" values',
            "in {p}",
            _rows,
            lambda a, v: [(r[v["k2"]], r[v["k2"]]) for r in a],
        ),
        Source(
            "grid",
            ("grid", "table"),
            "row in {p} for x in row",
            "x",
            "x",
            None,
            "numbers",
            "in all rows of {p}",
            _grid,
            lambda a, v: [(x, x) for row in a for x in row],
        ),
    )
}

KEYS = {
    s.key: s
    for s in (
        Source(
            "items",
            ("scores", "prices", "table"),
            "k, x in {p}.items()",
            "x",
            "k",
            None,
            "keys",
            "of {p}",
            _keyed,
            lambda a, v: [(x, k) for k, x in a.items()],
            whose="value",
        ),
        Source(
            "rows2",
            ("rows", "records"),
            "r in {p}",
            'r["{k2}"]',
            'r["{k1}"]',
            None,
            '"{k1}" values',
            "in {p}",
            _rows,
            lambda a, v: [(r[v["k2"]], r[v["k1"]]) for r in a],
            whose='"{k2}"',
        ),
    )
}

TEXTS = {
    s.key: s
    for s in (
        Source("words", ("words", "names"), "w in {p}", "w", "w", "{p}", "words", "in {p}", lambda xs, d, v: xs, _same),
        Source(
            "split",
            ("text",),
            "w in {p}.split()",
            "w",
            "w",
            "{p}.split()",
            "words",
            "of the text",
            lambda xs, d, v: " ".join(xs),
            lambda a, v: _same(a.split(), v),
        ),
        Source(
            "lines",
            ("text",),
            "w in {p}.splitlines()",
            "w",
            "w",
            "{p}.splitlines()",
            "lines",
            "of the text",
            lambda xs, d, v: "\n".join(xs),
            lambda a, v: _same(a.splitlines(), v),
        ),
        Source(
            "keys",
            ("scores", "table"),
            "w in {p}",
            "w",
            "w",
            "{p}",
            "keys",
            "of {p}",
            lambda xs, d, v: {w: d.number(1, 9) for w in xs},
            _same,
        ),
    )
}

LETTERS = {
    "chars": Source(
        "chars",
        ("text", "word"),
        "c in {p}",
        "c",
        "c",
        "{p}",
        "characters",
        "in {p}",
        lambda xs, d, v: "".join(xs),
        _same,
    )
}
