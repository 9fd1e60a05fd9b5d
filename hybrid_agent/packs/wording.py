"""Turning a wording pattern and a scene's slots into a sentence as a person might type it."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from hybrid_agent.packs.family import Slot

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")


def expand(pattern: str, rng: random.Random) -> str:
    """Pick one alternative of every `[a|b]`, and close up the gaps that empty ones leave."""
    text = _CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), pattern)
    return re.sub(r" {2,}", " ", text).strip()


def write_slot(slot: Slot, rng: random.Random) -> str:
    """Write a value the way people do: names bare, quoted or in backticks; texts always quoted."""
    if slot.kind == "plain":
        return slot.value
    if slot.kind == "text":
        quote = rng.choice('""\'')
        return f"{quote}{slot.value}{quote}"
    quote = rng.choice(["", "", "", "", "'", '"', "`"])
    return f"{quote}{slot.value}{quote}"


def phrase(pattern: str, slots: Mapping[str, Slot], rng: random.Random) -> str:
    """Fill a pattern.

    Raises:
        KeyError: the pattern names a slot the scene does not have.
    """
    return _SLOT.sub(lambda m: write_slot(slots[m.group(1)], rng), expand(pattern, rng))
