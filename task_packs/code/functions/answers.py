"""Reference answers of the classic functions, written another way than the canonical code. `n` is the drawn number."""

from __future__ import annotations

import math
from collections import Counter
from itertools import accumulate, chain
from typing import Any


def gcd(n: int, a: int, b: int) -> int:
    """Greatest common divisor."""
    return math.gcd(a, b)


def running(n: int, xs: list[int]) -> list[int]:
    """Running totals."""
    return list(accumulate(xs))


def wordcount(n: int, text: str) -> dict[str, int]:
    """Words with their counts."""
    return dict(Counter(text.split()))


def groups(n: int, words: list[str]) -> dict[str, list[str]]:
    """Words by first letter."""
    return {first: [w for w in words if w.startswith(first)] for first in dict.fromkeys(w[:1] for w in words)}


def dedupe(n: int, xs: list[Any]) -> list[Any]:
    """First occurrences."""
    return list(dict.fromkeys(xs))


def flatten(n: int, rows: list[list[Any]]) -> list[Any]:
    """All values of all lists."""
    return list(chain.from_iterable(rows))


def clamp(n: int, x: int) -> int:
    """x, not below 0 and not above n."""
    return 0 if x < 0 else n if x > n else x


def backwards(n: int, text: str) -> str:
    """Words in reverse order."""
    return " ".join(text.split()[::-1])


def mirror(n: int, text: str) -> bool:
    """Whether the text is a palindrome, ignoring case."""
    folded = text.lower()
    return list(folded) == list(reversed(folded))


def merge(n: int, a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    """Both dicts; the second wins."""
    return {**a, **b}


def chunks(n: int, xs: list[Any]) -> list[list[Any]]:
    """Slices of n."""
    pieces: list[list[Any]] = []
    for index, x in enumerate(xs):
        if index % n == 0:
            pieces.append([])
        pieces[-1].append(x)
    return pieces


def steps(n: int, xs: list[int]) -> list[int]:
    """Differences of neighbours."""
    return [xs[i + 1] - xs[i] for i in range(len(xs) - 1)]


def search(n: int, xs: list[int], x: int) -> int:
    """Index of x, or -1."""
    return xs.index(x) if x in xs else -1


def brackets(n: int, text: str) -> bool:
    """Whether removing matched pairs leaves no bracket."""
    rest = "".join(c for c in text if c in "()")
    while "()" in rest:
        rest = rest.replace("()", "")
    return not rest


def fizz(n: int, limit: int) -> list[int | str]:
    """1..limit with "fizz" at multiples of n."""
    found: list[int | str] = list(range(1, limit + 1))
    found[n - 1 :: n] = ["fizz"] * len(found[n - 1 :: n])
    return found


def windows(n: int, xs: list[int]) -> list[int]:
    """Sum of each n neighbours."""
    return [sum(xs[i] for i in range(start, start + n)) for start in range(len(xs)) if start + n <= len(xs)]
