"""Choosing one token from logits, under a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Picked(NamedTuple):
    """A token and its log-probability under mask and bias, at temperature 1."""

    token: int
    logprob: float


def pick(
    logits: NDArray[np.float32],
    mask: NDArray[np.int32] | None,
    bias: Mapping[int, float] | None,
    temperature: float,
    rng: np.random.Generator,
) -> Picked:
    """Choose a token.

    Args:
        logits: float (vocab,); not changed.
        mask: int32 words, bit i%32 of word i//32 allows token i; None allows all.
        bias: added to logits before the mask.
        temperature: 0 takes the best (the lowest id of equals).
        rng: used only if `temperature` > 0.
    """
    if bias:
        logits = logits.copy()
        logits[list(bias)] += np.fromiter(bias.values(), np.float32)
    ids: NDArray[np.intp] | None = None
    if mask is not None:
        # Few tokens are allowed as a rule, so the arithmetic below is on those alone.
        ids = np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little", count=len(logits)))
        logits = logits[ids]
    best = int(logits.argmax())
    shifted = (logits - logits[best]).astype(np.float64)
    total = float(np.exp(shifted).sum())
    at = best
    if temperature > 0:
        weights = np.cumsum(np.exp(shifted / temperature))
        at = min(int(np.searchsorted(weights, rng.random() * weights[-1], side="right")), len(weights) - 1)
    return Picked(int(ids[at]) if ids is not None else at, float(shifted[at]) - float(np.log(total)))
