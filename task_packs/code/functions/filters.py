"""Conditions on numbers, words and characters."""

from __future__ import annotations

from task_packs.code.functions.parts import Filter

EVERY = Filter("every", "", ("",), lambda x, v: True)

UPPER = Filter(
    "upper",
    "{x}.isupper()",
    ("are upper case",),
    lambda x, v: x.isupper(),
    before="upper case",
    near=("lower",),
)
LOWER = Filter(
    "lower",
    "{x}.islower()",
    ("are lower case",),
    lambda x, v: x.islower(),
    before="lower case",
    near=("upper",),
)

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
        UPPER,
        LOWER,
    )
}

CHAR_FILTERS = {
    f.key: f
    for f in (
        Filter("vowel", '{x} in "aeiou"', ("are vowels",), lambda x, v: x in "aeiou", near=("notvowel",)),
        Filter("notvowel", '{x} not in "aeiou"', ("are not vowels",), lambda x, v: x not in "aeiou", near=("vowel",)),
        Filter("digit", "{x}.isdigit()", ("are digits",), lambda x, v: x.isdigit(), near=("letter",)),
        Filter("letter", "{x}.isalpha()", ("are letters",), lambda x, v: x.isalpha(), near=("digit",)),
        UPPER,
        LOWER,
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
