"""How people put several steps into one goal, and the polite words around it.

A join gets the clauses and returns the goal; clauses stay exact substrings except for the case of their first
letter. Held-out joins are used by `test_paraphrase` only.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

Join = Callable[[Sequence[str]], str]


_NOT_VERBS = frozenset(
    "a an the this that these those there in into on at for from of to with within without under inside between "
    "after before above below per how where wherever everywhere other "
    "i we you it its my our nobody nothing everything every each all any only once when if as by what whatever which "
    "no not both some one two there's here".split()
)
_WORD = re.compile(r"[A-Za-z]+(?=[ ,:]|$)")


class NameFirst(str):
    """A clause that opens with a name, whose case must not change (turtle.txt is not Turtle.txt)."""


def _cap(text: str) -> str:
    return text if isinstance(text, NameFirst) or not _WORD.match(text) else text[:1].upper() + text[1:]


def _imperative(text: str) -> bool:
    """True if the clause opens with something like a verb, so that "can you" may stand before it."""
    first = None if isinstance(text, NameFirst) else _WORD.match(text)
    return first is not None and first.group().lower() not in _NOT_VERBS


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
OPENINGS = ("", "", "", "please ", "please ", "next task: ", "hi, ")
REQUESTS = ("can you ", "could you ", "I need you to ", "I want you to ", "we need to ")
CLOSINGS = ("", "", "", ".", ".", " please", ", thanks")


def write_goal(clauses: Sequence[str], rng: random.Random, *, held: bool) -> tuple[str, str, list[str]]:
    """One goal from its clauses (a `NameFirst` clause keeps the case of its first letter).

    Returns:
        (name of the join, goal, the clauses as they stand in the goal).
    """
    if len(clauses) == 1:
        label, goal = "single", _open(clauses[0], clauses[0], rng) + rng.choice(CLOSINGS)
    else:
        label, join = rng.choice(HELD if held else TRAIN)
        goal = join(clauses)
        if goal.startswith(clauses[0]):
            goal = _open(goal, clauses[0], rng)
    found = [c if c in goal else _cap(c) for c in clauses]
    missing = [c for c in found if c not in goal]
    if missing:
        raise AssertionError(f"join {label} lost the clause {missing[0]!r}")
    return label, goal, found


def _open(goal: str, first: str, rng: random.Random) -> str:
    """Put polite words before the goal, or none; upper-case the first letter half of the time."""
    opening = rng.choice((*OPENINGS, *REQUESTS) if _imperative(first) else OPENINGS)
    if not opening and isinstance(first, NameFirst):
        return goal
    return _cap(opening + goal) if rng.random() < 0.5 else opening + goal
