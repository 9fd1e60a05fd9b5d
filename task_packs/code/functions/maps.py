"""What is done to each number, word or character."""

from __future__ import annotations

from task_packs.code.functions.parts import Map

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
