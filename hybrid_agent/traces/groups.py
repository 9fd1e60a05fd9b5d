"""Holding out contexts by group: contexts of one task are never on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from hybrid_agent.traces.contexts import Context


def held(group: str, share: float, seed: int = 0) -> bool:
    """Whether a group is held out: by a hash of its name, so that more data never moves a group."""
    digest = hashlib.sha256(f"{seed}\x1f{group}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def split_groups(contexts: Iterable[Context], val_share: float, seed: int = 0) -> tuple[list[Context], list[Context]]:
    """Contexts to train on and contexts held out, apart by group.

    Args:
        contexts: any contexts.
        val_share: expected share of held-out groups.
        seed: another seed holds out other groups.
    """
    kept: list[Context] = []
    out: list[Context] = []
    for context in contexts:
        (out if held(context.group, val_share, seed) else kept).append(context)
    return kept, out
