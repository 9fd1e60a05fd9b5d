"""The trained energy of an edit: a linear part over operators and failures, and a small network over the rest.

The weights lie in ranker.json (made by `python -m train.patch_rank`); numpy is all that is needed to use them.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.errors import InputError
from hybrid_agent.swe.features import GROUPS, Floats, columns
from hybrid_agent.swe.language import SharedStatistics
from hybrid_agent.swe.operators import FAMILIES

FORMAT = 2
FILE = "ranker.json"
TEMPER, BOUNDS = np.float32(0.45), (-5.0, 3.0)
Energies = NDArray[np.float32]
_FAMILY = {name: place for place, name in enumerate(FAMILIES)}


class EditEnergy:
    """Energy of candidates; lower is tried sooner. Only differences within one repair mean anything."""

    def __init__(self, data: dict[str, Any]) -> None:
        if data.get("format") != FORMAT or data["columns"] != columns():
            fix = "make it again: python -m train.patch_rank"
            raise InputError("the trained ranker does not fit this version", where=FILE, fix=fix)
        self.trained_on: dict[str, Any] = data["trained_on"]
        self.shared = shared_statistics(data["statistics"])
        self._operators = {name: value for name, value in data["operators"].items()}
        self._cross = unpack(data["cross"])
        self._prior = np.array([data["prior"].get(name, 0.0) for name in FAMILIES], np.float32)
        self._mean, self._scale = unpack(data["mean"]), unpack(data["scale"])
        self._nets = [{name: unpack(value) for name, value in net.items()} for net in data["nets"]]

    def of(self, rows: Floats, operators: Sequence[str]) -> NDArray[np.float32]:
        """Energies, one for each row of `Features.rows`."""
        x = np.clip((rows - self._mean) / self._scale, -6, 6)
        total = np.zeros(len(rows), np.float32)
        for net in self._nets:
            hidden = np.maximum(x @ net["w1"] + net["b1"], 0)
            total += (hidden @ net["w2"])[:, 0] + x @ net["direct"]
        total /= max(len(self._nets), 1)
        total += np.array([self._operators.get(name, 0.0) for name in operators], np.float32)
        groups = rows[:, -len(GROUPS) :]
        families = np.array([_FAMILY.get(name.partition(".")[0], 0) for name in operators])
        total += (self._cross[families] * groups).sum(1) if len(rows) else 0
        total -= self._prior[families] if len(rows) else 0
        return total


def tempered(energies: Energies) -> Energies:
    """Energies beside what probes found: nearer together, since mutants are easier to tell than faults of people."""
    middle = float(np.median(energies)) if len(energies) else 0.0
    clipped: Energies = np.clip(energies - np.float32(middle), *BOUNDS)
    return (TEMPER * clipped).astype(np.float32)


def load_energy() -> EditEnergy:
    """The ranker that ships with the package.

    Raises:
        InputError: it is not there or does not fit.
    """
    try:
        text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            "the trained ranker is not there", where=FILE, fix="make it: python -m train.patch_rank"
        ) from None
    return EditEnergy(json.loads(text))


def pack(array: NDArray[Any]) -> dict[str, Any]:
    """An array as JSON: half precision, compressed."""
    data = zlib.compress(np.ascontiguousarray(array, np.float16).tobytes(), 9)
    return {"shape": list(array.shape), "f16": base64.b64encode(data).decode()}


def unpack(value: dict[str, Any]) -> NDArray[np.float32]:
    """An array that `pack` wrote."""
    data = zlib.decompress(base64.b64decode(value["f16"]))
    return np.frombuffer(data, np.float16).reshape(value["shape"]).astype(np.float32)


def shared_statistics(value: dict[str, Any]) -> SharedStatistics:
    """Token statistics as the ranker's file has them."""
    return SharedStatistics(
        value["words"],
        zlib.decompress(base64.b64decode(value["pairs"])),
        zlib.decompress(base64.b64decode(value["triples"])),
    )
