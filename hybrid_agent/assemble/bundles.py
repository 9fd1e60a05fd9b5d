"""Bundles by the names people use: the shipped one, the promoted one, a folder."""

from __future__ import annotations

import os
from pathlib import Path

from hybrid_agent.runs.promotion import POINTER, checked, read_pointer

SERVING_VARIABLE = "HYBRID_AGENT_SERVING"
SHIPPED_NAMES = ("tiny", "bundle", "shipped")
PROMOTED = "promoted"


def pointer_file(runs: Path | None = None) -> Path:
    """The pointer to the bundle that serves: $HYBRID_AGENT_SERVING, else serving.json in the folder of runs."""
    named = os.environ.get(SERVING_VARIABLE)
    return Path(named) if named else (runs or Path("runs")) / POINTER


def promoted_folder(pointer: Path) -> Path | None:
    """The folder of the promoted bundle; None if that is the shipped one.

    Raises:
        InputError: nothing was promoted, or the bundle is not the one that was.
    """
    return checked(read_pointer(pointer).serving, pointer.parent.absolute())


def named_bundle(name: str, runs: Path) -> Path | None:
    """The folder behind `tiny`, `bundle`, `shipped` or `promoted`; None for any other name.

    Raises:
        InputError: nothing was promoted, or the bundle is not the one that was.
    """
    from hybrid_agent.assemble.decoders import bundle_folder

    if name in SHIPPED_NAMES:
        return bundle_folder()
    if name == PROMOTED:
        return promoted_folder(pointer_file(runs)) or bundle_folder()
    return None
