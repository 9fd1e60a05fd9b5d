"""Random values for one episode, drawn from the pools its split may use.

`train` and `val` draw from the training word pools; `test_names` from held-out pools. Every name is unique
within an episode, so that scenes can be combined. Cells (combinations of choices) are held out by hash:
a held-out cell is only ever drawn for `test_composition`.
"""

from __future__ import annotations

import hashlib
import random
import string
from collections.abc import Sequence
from typing import TypeVar

from hybrid_agent.packs import words
from hybrid_agent.types import Split

T = TypeVar("T")
HELD_OUT_SHARE = 7  # one in seven combinations is held out


def held_out(*key: str) -> bool:
    """True if this combination is reserved for `test_composition` (stable hash, 1 in 7)."""
    digest = hashlib.sha256("\x1f".join(key).encode()).digest()
    return digest[0] % HELD_OUT_SHARE == 0


class Draw:
    """Seeded source of values for one episode."""

    def __init__(self, seed: int | str, split: Split) -> None:
        self.rng = random.Random(f"{split}:{seed}")
        self.split = split
        self._unseen = split == "test_names"
        self._taken: set[str] = set()

    # --- choices
    def choice(self, options: Sequence[T]) -> T:
        """Uniform choice."""
        return self.rng.choice(options)

    def sample(self, options: Sequence[T], k: int) -> list[T]:
        """k distinct options in random order."""
        return self.rng.sample(list(options), k)

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self.rng.random() < p

    def number(self, low: int, high: int) -> int:
        """Uniform integer, both ends included."""
        return self.rng.randint(low, high)

    def cell(self, salt: str, *axes: Sequence[str]) -> tuple[str, ...]:
        """One value per axis. Held-out combinations come out only in `test_composition`, and only those do."""
        wanted = self.split == "test_composition"
        for _ in range(2000):
            cell = tuple(self.rng.choice(axis) for axis in axes)
            if held_out(salt, *cell) == wanted:
                return cell
        raise ValueError(f"no {'held-out' if wanted else 'training'} cell in {salt}: add values to its axes")

    # --- names
    def word(self) -> str:
        """A lower-case noun from this split's pool (may repeat; not reserved)."""
        return self.rng.choice(words.HELD if self._unseen else words.TRAIN)

    def stem(self) -> str:
        """A unique name without extension: 40 % words, 40 % compounds, 20 % random strings."""
        for _ in range(1000):
            kind = self.rng.random()
            if kind < 0.4:
                stem = self.word()
            elif kind < 0.8:
                stem = (
                    self.word()
                    + self.rng.choice(["_", "-", ""])
                    + self.rng.choice([self.word(), str(self.rng.randint(1, 99))])
                )
            else:
                length = self.rng.randint(3, 9)
                stem = self.rng.choice(string.ascii_lowercase) + "".join(
                    self.rng.choice(string.ascii_lowercase + string.digits) for _ in range(length - 1)
                )
            if self._reserve(stem):
                return stem
        raise RuntimeError("ran out of names")

    def file(self, *extensions: str) -> str:
        """A unique file name with one of the extensions ('txt', 'md', ... by default)."""
        return f"{self.stem()}.{self.rng.choice(extensions or words.EXTENSIONS)}"

    def dir(self) -> str:
        """A unique folder name."""
        return self.stem()

    def path(self, *extensions: str, nested: float = 0.3) -> str:
        """A file name, with probability `nested` inside a (unique) folder."""
        inner = self.file(*extensions)
        return f"{self.dir()}/{inner}" if self.chance(nested) else inner

    def ident(self) -> str:
        """A unique snake_case Python identifier."""
        for _ in range(1000):
            ident = self.word() + ("_" + self.word() if self.chance(0.6) else "")
            if ident.isidentifier() and self._reserve(ident):
                return ident
        raise RuntimeError("ran out of identifiers")

    def phrase(self, low: int = 1, high: int = 4) -> str:
        """A few words of text, not unique."""
        return " ".join(self.word() for _ in range(self.rng.randint(low, high)))

    def lines(self, low: int = 3, high: int = 8) -> str:
        """Some lines of text with a final newline."""
        return "".join(self.phrase(2, 5) + "\n" for _ in range(self.rng.randint(low, high)))

    def _reserve(self, stem: str) -> bool:
        if stem in self._taken:
            return False
        self._taken.add(stem)
        return True
