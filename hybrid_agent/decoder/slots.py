"""Which text each row of the cache holds, who uses it, and which one is given up when another is needed."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.decoder.kv import KVModel, common

WORTH = 8  # tokens: fewer are computed again rather than copied
TAIL = 16  # tokens that may be lost when a row is used for another text in place

Logits = NDArray[np.float32]


@dataclass
class Slot:
    """A row of the cache.

    Attributes:
        text: the tokens it holds.
        model: whose keys and values they are.
        head: logits (vocab,) after the first tokens of the text, so many of them.
        used: when it was last given back.
        spare: other rows hold most of it too.
    """

    text: list[int] = field(default_factory=list)
    model: weakref.ref[KVModel] | None = None
    head: tuple[int, Logits] | None = None
    busy: bool = False
    used: int = 0
    spare: bool = False

    def known(self, model: KVModel, text: list[int]) -> int:
        """How much of a text is here; the whole of it only with the logits after it."""
        if self.model is None or self.model() is not model or self.text[:WORTH] != text[:WORTH]:
            return 0
        same = common(self.text, text)
        return same - (same == len(text) and (self.head is None or self.head[0] != same))


class Found(NamedTuple):
    """A row for a text: its first `known` tokens are in row `source` (the row itself, or one to be copied).

    `head` are the logits after the text if all of it is known.
    """

    row: int
    known: int
    source: int
    head: Logits | None = None


class Slots:
    """Rows of a cache, of which the longest unused ones are given to new texts.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self.slots = [Slot() for _ in range(count)]
        self.free = count
        self._clock = 0

    def take(self, model: KVModel, text: list[int]) -> Found:
        """Have a row that is to hold `text`; its `text` is what is known of it. There must be a free one."""
        known = [slot.known(model, text) for slot in self.slots]
        # The longest known beginning; of equals a free row, of these the one with the least to lose.
        source = max(range(len(known)), key=lambda i: (known[i], not self.slots[i].busy, -len(self.slots[i].text)))
        slot, same = self.slots[source], known[source]
        row = source
        if slot.busy or same < WORTH or len(slot.text) - same > TAIL:
            row = self._oldest()
            source, same = (source, same) if same >= max(WORTH, known[row] + 1) else (row, known[row])
        slot = self.slots[source]
        head = slot.head[1] if same == len(text) and slot.head is not None else None
        if row != source or (slot.head is not None and slot.head[0] > same):
            self.slots[row].head = None
        if head is not None:
            self.slots[row].head = (same, head)
        self._give(row, model, text[:same])
        return Found(row, same, source, head)

    def fork(self, source: int, model: KVModel) -> Found:
        """A row for a copy of all that `source` holds; a part of it may be there already."""
        text = self.slots[source].text
        have = [(0 if slot.busy else slot.known(model, text), i) for i, slot in enumerate(self.slots)]
        known, row = max(have)
        if len(self.slots[row].text) - known > 2 * TAIL or known < WORTH:
            known, row = 0, self._oldest()
        self.slots[row].head = None
        self._give(row, model, list(text))
        return Found(row, known, source)

    def give_back(self, row: int, spare: bool = False) -> None:
        """The text stays until the row is needed."""
        self._clock += 1
        slot = self.slots[row]
        slot.busy, slot.spare, slot.used = False, spare, self._clock
        self.free += 1

    def forget(self) -> None:
        """Nothing is known of the rows that are not in use."""
        for slot in self.slots:
            if not slot.busy:
                slot.text, slot.model, slot.head = [], None, None

    def _oldest(self) -> int:
        """An empty row (the first one: its memory is warm), else a spare one, else the one unused for longest."""
        free = [(i, slot) for i, slot in enumerate(self.slots) if not slot.busy]
        return min(free, key=lambda f: (bool(f[1].text), not f[1].spare, f[1].used if f[1].text else f[0]))[0]

    def _give(self, row: int, model: KVModel, text: list[int]) -> None:
        slot = self.slots[row]
        slot.text, slot.model, slot.busy, slot.spare = text, weakref.ref(model), True, False
        self.free -= 1
