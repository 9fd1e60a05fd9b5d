"""Choosing one token from logits, under a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Picked(NamedTuple):
    """A token and its log-probability under mask and bias, at temperature 1; `entropy` (nats) is of that choice."""

    token: int
    logprob: float
    entropy: float


class Choice(NamedTuple):
    """The tokens that may come next.

    Attributes:
        ids: allowed tokens, ascending; None allows all.
        scores: float64, one for each of them: logit plus bias, less the largest of them.
        best: index of the largest score (the first of equals).
        weights: exp(scores).
    """

    ids: NDArray[np.intp] | None
    scores: NDArray[np.float64]
    best: int
    weights: NDArray[np.float64]

    def picked(self, at: int) -> Picked:
        """The outcome if the token at index `at` is taken."""
        total = float(self.weights.sum())
        log = float(np.log(total))
        entropy = log - float(self.weights @ self.scores) / total
        return Picked(int(self.ids[at]) if self.ids is not None else at, float(self.scores[at]) - log, entropy)

    def others(self, token: int, most: int) -> tuple[Picked, ...]:
        """The likeliest tokens beside one, the likeliest first."""
        taken = self.where(token)
        likely = [int(at) for at in np.argsort(-self.scores, kind="stable")[: most + 1] if at != taken]
        return tuple(map(self.picked, likely[:most]))

    def where(self, token: int) -> int:
        """Where an allowed token lies in `scores`."""
        return int(np.searchsorted(self.ids, token)) if self.ids is not None else token

    def heated(self, temperature: float) -> NDArray[np.float64]:
        """Probabilities at a temperature; 0 puts all on the best."""
        if temperature > 0:
            weights: NDArray[np.float64] = np.exp(self.scores / temperature)
            weights /= weights.sum()
            return weights
        weights = np.zeros_like(self.scores)
        weights[self.best] = 1.0
        return weights

    def draw(self, temperature: float, rng: np.random.Generator) -> int:
        """An index drawn at a temperature; 0 takes the best without asking `rng`."""
        if temperature <= 0:
            return self.best
        sums = np.cumsum(np.exp(self.scores / temperature))
        return min(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")), len(sums) - 1)


def choices(
    logits: NDArray[np.float32],
    mask: NDArray[np.int32] | None,
    bias: Mapping[int, float] | None = None,
    shift: NDArray[np.float32] | None = None,
) -> Choice:
    """What may come next, and how likely.

    Args:
        logits: float (vocab,); not changed.
        mask: int32 words, bit i%32 of word i//32 allows token i; None allows all.
        bias: added to the logits of a few tokens before the mask.
        shift: float (vocab,), added to all logits before the mask.
    """
    if bias:
        logits = logits.copy()
        logits[list(bias)] += np.fromiter(bias.values(), np.float32)
    ids: NDArray[np.intp] | None = None
    if mask is not None:
        # Few tokens are allowed as a rule, so the arithmetic below is on those alone.
        ids = np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little", count=len(logits)))
        logits = logits[ids]
        shift = shift[ids] if shift is not None else None
    if shift is not None:
        logits = logits + shift
    best = int(logits.argmax())
    scores = (logits - logits[best]).astype(np.float64)
    return Choice(ids, scores, best, np.exp(scores))
