"""How usual a piece of code is: token statistics of the project itself and of much other code.

Faults are improbable text more often than not (Ray et al., ICSE 2016). The project's own statistics are counted at
start; the others are a small hashed table that ships with the ranker.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|\"[^\"\n]*\"|'[^'\n]*'|[-+*/%&|^=<>!@]=|//=?|\*\*|<<|>>|->|:=|\S")
PAIR_BITS, TRIPLE_BITS = 14, 16
START = "<s>"
Tokens = Sequence[str]


def tokens(text: str) -> list[str]:
    """Tokens of code, strings short, comments kept as words (both texts that are compared have the same)."""
    return [token if token[0] not in "\"'" or len(token) <= 12 else '"..."' for token in TOKEN.findall(text)]


class LocalStatistics:
    """Counts of one, two and three tokens in a row, of this project."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.one: Counter[str] = Counter()
        self.two: Counter[tuple[str, str]] = Counter()
        self.three: Counter[tuple[str, str, str]] = Counter()
        self.lines: Counter[tuple[str, ...]] = Counter()
        for text in texts:
            for row in text.splitlines():
                row = row.strip()
                if not row or row[0] == "#":
                    continue
                found = tokens(row)
                self.lines[tuple(found)] += 1
                line = [START, START, *found]
                self.one.update(found)
                self.two.update(zip(line[1:], found, strict=False))
                self.three.update(zip(line, line[1:], found, strict=False))
        self.total = sum(self.one.values()) + 1

    def surprise(self, line: Tokens, without: Tokens) -> list[float]:
        """Nats of each token of a line, as if the line `without` were not part of the project."""
        out_three, out_two, out_one = _grams(without)
        found, a, b = [], START, START
        for token in line:
            three = self.three[a, b, token] - out_three[a, b, token]
            two = self.two[b, token] - out_two[b, token]
            one = self.one[token] - out_one[token]
            above_three = max(self.two[a, b] - out_two[a, b], 0) if a != START else self.one[b] - out_one[b]
            above_two = max(self.one[b] - out_one[b], 0) if b != START else self.total / 10
            p = 0.05 * (max(one, 0) + 0.1) / self.total
            p += 0.35 * max(two, 0) / (above_two + 2)
            p += 0.6 * max(three, 0) / (max(above_three, max(three, 0)) + 1)
            found.append(-math.log(min(p, 1.0) + 1e-7))
            a, b = b, token
        return found


def _grams(line: Tokens) -> tuple[Counter[tuple[str, str, str]], Counter[tuple[str, str]], Counter[str]]:
    padded = [START, START, *line]
    return (
        Counter(zip(padded, padded[1:], line, strict=False)),
        Counter(zip(padded[1:], line, strict=False)),
        Counter(line),
    )


class SharedStatistics:
    """Hashed counts of two and three tokens in a row over other code; names that are not common are one token.

    Args:
        words: tokens that are kept as they are.
        pairs, triples: counts on a logarithmic scale, n -> round(8 * log2(1 + n)), capped at 255.
    """

    def __init__(self, words: Iterable[str], pairs: bytes, triples: bytes) -> None:
        self.words = frozenset(words)
        self.pairs, self.triples = pairs, triples

    def surprise(self, line: Tokens) -> float:
        """Total nats of a line (up to a constant for each token)."""
        total, a, b = 0.0, START, START
        for token in map(self.shown, line):
            pair = 2 ** (self.pairs[slot((b, token), PAIR_BITS)] / 8) - 1
            triple = 2 ** (self.triples[slot((a, b, token), TRIPLE_BITS)] / 8) - 1
            above = 2 ** (self.pairs[slot((a, b), PAIR_BITS)] / 8) - 1
            total -= math.log(0.5 * triple / (max(above, triple) + 3) + 0.5 * pair / (pair + 2000) + 1e-4)
            a, b = b, token
        return total

    def shown(self, token: str) -> str:
        """The token as it is counted."""
        if token in self.words or not (token[0].isalnum() or token[0] in "_\"'"):
            return token
        return "0" if token[0].isdigit() else '"' if token[0] in "\"'" else "n"


def slot(grams: tuple[str, ...], bits: int) -> int:
    """Place of a row of tokens in a table of 2**bits counts."""
    return zlib.crc32("\0".join(grams).encode("utf-8", "replace")) & ((1 << bits) - 1)
