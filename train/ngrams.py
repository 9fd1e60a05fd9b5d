"""Which held-out text a training text repeats, by runs of words.

A text is its words in lower case; punctuation and the escapes of JSON do not count, so a goal is found again inside a
call, a trace or a conversation.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.config.mixture import ScreenConfig

_ESCAPE = re.compile(r"\\+(?:[nrtbf]|u[0-9a-fA-F]{4})")
_WORD = re.compile(r"\w+")
_INSTANCE = re.compile(r"[\w.-]+__[\w.-]+-\d+")
_UNKNOWN = 0x9E3779B97F4A7C15
BREAK = "\x1e"
_BASE = 0xD6E8FEB86659FD93  # odd: powers of it stay different modulo 2^64


@dataclass(frozen=True)
class Held:
    """A text that must not be trained on: whose it is (`name`), what it is (`field`), the text.

    With `exact` it is an identifier, which counts wherever it stands. With `whole` nearly all of it must be there: a
    solution, whose parts (set apart by BREAK, other text may stand between them) are those of other tasks too.
    """

    name: str
    field: str
    text: str
    exact: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Hit:
    """Why a text goes: the held-out one that it repeats, and the share of that one's runs of words found in it."""

    name: str
    field: str
    share: float
    found: str


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return _WORD.findall(_ESCAPE.sub(" ", text).lower())


class Screen:
    """Finds held-out texts in others.

    Runs that `config.common` or more held-out texts have in common (the text of a form, the frame of a template) say
    nothing and are left out, unless a text has no others.
    """

    def __init__(self, held: Iterable[Held], config: ScreenConfig) -> None:
        self.config = config
        self.items: list[Held] = []
        self.skipped = 0
        self._ids: dict[str, Held] = {}
        self._values: dict[str, int] = {}
        self._powers = [pow(_BASE, j, 1 << 64) for j in range(config.words)]
        runs: list[set[tuple[int, int]]] = []  # by item: lengths of its runs and their hashes
        for item in dict.fromkeys(held):
            if item.exact:
                self._ids[item.text.lower()] = item
                continue
            parts = [words_of(part) for part in item.text.split(BREAK)]
            parts = [part for part in parts if len(part) >= config.least]
            if sum(map(len, parts)) < (config.words if item.whole else config.least):
                self.skipped += 1
                continue
            self.items.append(item)
            runs.append(set().union(*map(self._learn, parts)))
        self._index(runs)

    def _learn(self, words: list[str]) -> set[tuple[int, int]]:
        for word in words:
            self._values.setdefault(word, _value(word))
        length = min(self.config.words, len(words))
        return {(length, int(key)) for key in self._runs(words)[length - 1]}

    def _index(self, runs: list[set[tuple[int, int]]]) -> None:
        seen = Counter(itertools.chain.from_iterable(runs))
        self._of: dict[int, dict[int, list[int]]] = defaultdict(dict)
        self._total: list[int] = []
        for number, keys in enumerate(runs):
            kept = [key for key in keys if seen[key] < self.config.common] or list(keys)
            self._total.append(len(kept))
            for length, key in kept:
                self._of[length].setdefault(key, []).append(number)
        self._keys = {length: np.sort(np.array(list(of), np.uint64)) for length, of in self._of.items()}

    def _runs(self, words: list[str]) -> list[NDArray[np.uint64]]:
        """Hashes of all runs of 1, 2, ... words: sum of value(word j) * base^j modulo 2^64."""
        values = np.array([self._values.get(word, _UNKNOWN) for word in words], np.uint64)
        found: list[NDArray[np.uint64]] = []
        sums = np.zeros(len(values), np.uint64)
        for j in range(min(self.config.words, len(values))):
            sums = sums[: len(values) - j] + values[j:] * np.uint64(self._powers[j])
            found.append(sums)
        return found

    def find(self, text: str) -> Hit | None:
        """The held-out text that this one repeats most of; None if there is none."""
        if self._ids:
            for name in _INSTANCE.findall(text.lower()):
                if name in self._ids:
                    return Hit(self._ids[name].name, self._ids[name].field, 1.0, name)
        words = words_of(text)
        if sum(word in self._values for word in words) < self.config.least:
            return None
        runs = self._runs(words)
        counts: Counter[int] = Counter()
        where: dict[int, tuple[int, int]] = {}
        for length, keys in self._keys.items():
            if length > len(runs):
                continue
            here = runs[length - 1]
            at = np.searchsorted(keys, here)
            places = np.flatnonzero(keys[np.minimum(at, len(keys) - 1)] == here)
            for key, place in {int(here[p]): int(p) for p in places[::-1]}.items():
                for item in self._of[length][key]:
                    counts[item] += 1
                    where[item] = min(where.get(item, (place, length)), (place, length))
        hits = [(count / self._total[i], -i) for i, count in counts.items() if count >= self._needed(i)]
        if not hits:
            return None
        share, minus = max(hits)
        item, (place, length) = self.items[-minus], where[-minus]
        return Hit(item.name, item.field, round(share, 3), " ".join(words[place : place + length]))

    def _needed(self, item: int) -> int:
        """How many of its runs make a hit: a share of them, or what one copied piece of `run` words has."""
        if self.items[item].whole:
            return math.ceil(self.config.whole * self._total[item])
        piece = self.config.run - self.config.words + 1
        return min(math.ceil(self.config.share * self._total[item]), piece)


def _value(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
