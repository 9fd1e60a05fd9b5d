"""How people put several steps into one goal, and the polite words around it.

A join gets the clauses and returns the goal; clauses stay exact substrings except for the case of their first
letter. Held-out joins are used by `test_paraphrase` only.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Join = Callable[[Sequence[str]], str]


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentences(parts: Sequence[str]) -> str:
    return " ".join(_cap(p) + "." for p in parts)


def _led(leads: Sequence[str]) -> Join:
    """Sentences, each but the first opened by a word such as "Then"."""

    def join(parts: Sequence[str]) -> str:
        words = [leads[min(i, len(leads) - 1)] for i in range(len(parts) - 1)]
        return " ".join([_cap(parts[0]) + ".", *(f"{w} {p}." for w, p in zip(words, parts[1:], strict=True))])

    return join


TRAIN: tuple[tuple[str, Join], ...] = (
    ("comma_then", lambda p: ", then ".join(p)),
    ("and_then", lambda p: " and then ".join(p)),
    ("and", lambda p: ", ".join(p[:-1]) + " and " + p[-1]),
    ("first_finally", lambda p: "first " + ", then ".join(p[:-1]) + ", and finally " + p[-1]),
    ("semicolon", lambda p: "; ".join(p)),
    ("sentences", _sentences),
    ("then_after", _led(["Then", "After that", "Finally"])),
    ("afterwards", _led(["Afterwards", "And then"])),
    ("numbered", lambda p: "\n".join(f"{i}. {c}" for i, c in enumerate(p, 1))),
    ("bullets", lambda p: "\n".join(f"- {c}" for c in p)),
    ("after_that", lambda p: ", after that ".join(p)),
)
HELD: tuple[tuple[str, Join], ...] = (
    ("parens", lambda p: " ".join(f"{i}) {c}" for i, c in enumerate(p, 1))),
    ("semicolon_then", lambda p: "; then ".join(p)),
    ("then_finally", lambda p: ", then ".join(p[:-1]) + " and finally " + p[-1]),
    ("next", _led(["After that", "Then", "And finally"])),
)
OPENINGS = (
    "",
    "",
    "",
    "please ",
    "can you ",
    "could you ",
    "I need you to ",
    "I want you to ",
    "we need to ",
    "help me ",
)
CLOSINGS = ("", "", "", ".", ".", " please", ", thanks")


def write_goal(clauses: Sequence[str], rng: random.Random, *, held: bool) -> tuple[str, str, list[str]]:
    """One goal from its clauses.

    Returns:
        (name of the join, goal, the clauses as they stand in the goal).
    """
    if len(clauses) == 1:
        goal = rng.choice(OPENINGS) + clauses[0]
        goal = (_cap(goal) if rng.random() < 0.5 else goal) + rng.choice(CLOSINGS)
        label = "single"
    else:
        label, join = rng.choice(HELD if held else TRAIN)
        goal = join(clauses)
        if goal.startswith(clauses[0]) and rng.random() < 0.4:
            goal = rng.choice(OPENINGS) + goal
            goal = _cap(goal) if rng.random() < 0.5 else goal
    found = [c if c in goal else _cap(c) for c in clauses]
    missing = [c for c in found if c not in goal]
    if missing:
        raise AssertionError(f"join {label} lost the clause {missing[0]!r}")
    return label, goal, found
