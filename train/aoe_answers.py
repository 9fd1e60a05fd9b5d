"""How well a model writes each held-out answer, and whether one model is better than another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from transformers import LlamaForCausalLM

from train.data import Sequences, bucket, collate

DRAWS = 2000


@dataclass(frozen=True)
class Scores:
    """Of the answers of some sequences, ordered by sequence and place.

    Attributes:
        exact: bool (n,): greedy writing would give exactly the answer, given the true text before it.
        loss: float64 (n,): summed over its tokens, nats.
        tokens: int64 (n,).
    """

    exact: NDArray[np.bool_]
    loss: NDArray[np.float64]
    tokens: NDArray[np.int64]

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Scores:
        """Some of them."""
        return Scores(self.exact[chosen], self.loss[chosen], self.tokens[chosen])

    def figures(self) -> dict[str, float]:
        """Share of exact answers and mean loss a token."""
        if not len(self.exact):
            return {"n": 0}
        loss = float(self.loss.sum() / self.tokens.sum())
        return {"n": len(self.exact), "exact": float(self.exact.mean()), "loss": loss}


@torch.no_grad()
def score_answers(
    model: LlamaForCausalLM, data: Sequences, rows: NDArray[np.int64], batch_tokens: int, pad_id: int
) -> Scores:
    """Score every answer of `rows` (in ascending order of rows)."""
    keys: list[NDArray[np.int64]] = []
    parts: list[tuple[NDArray[np.bool_], NDArray[np.float64]]] = []
    for group in bucket(rows, data.lengths, batch_tokens):
        batch = collate(data, group, pad_id).to(model.device)
        hidden = model.model(input_ids=batch.ids[:, :-1], use_cache=False).last_hidden_state
        answer = batch.answer[:, 1:]
        logits = model.lm_head(hidden[answer > 0]).float()
        targets = batch.ids[:, 1:][answer > 0]
        losses = F.cross_entropy(logits, targets, reduction="none")
        at = torch.nonzero(answer, as_tuple=True)[0].cpu().numpy()
        keys.append((np.asarray(group)[at] << 16) + answer[answer > 0].cpu().numpy())
        parts.append(((logits.argmax(-1) == targets).cpu().numpy(), losses.double().cpu().numpy()))
    key = np.concatenate(keys)
    order = np.argsort(key, kind="stable")
    right = np.concatenate([p[0] for p in parts])[order]
    loss = np.concatenate([p[1] for p in parts])[order]
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    return Scores(
        np.logical_and.reduceat(right, first),
        np.add.reduceat(loss, first),
        np.diff(np.append(first, len(key))),
    )


def routed(scores: Sequence[Scores], choice: NDArray[np.int64]) -> Scores:
    """Answer i as written by the model `choice[i]`."""
    at = np.arange(len(choice))
    exact, loss = (np.stack([getattr(s, name) for s in scores])[choice, at] for name in ("exact", "loss"))
    return Scores(exact, loss, scores[0].tokens)


@dataclass(frozen=True)
class Paired:
    """One model against another on the same answers.

    Attributes:
        wins, losses: answers that only the first, only the second one got exactly.
        p: one-sided exact McNemar: the chance of at least so many wins were both alike.
        gain: difference of the exact shares; `low`, `high` its 95 % interval (bootstrap over groups of answers).
    """

    n: int
    wins: int
    losses: int
    p: float
    gain: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """For a report."""
        return {key: round(value, 6) for key, value in asdict(self).items()}


def compare(first: Scores, second: Scores, group: NDArray[np.int64], seed: int = 0) -> Paired:
    """Test whether the first is better. `group` (n,) ties answers that are not independent."""
    difference = first.exact.astype(np.float64) - second.exact
    wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
    if not len(difference):
        return Paired(0, 0, 0, 1.0, 0.0, 0.0, 0.0)
    _, where = np.unique(group, return_inverse=True)
    sums, sizes = np.bincount(where, difference), np.bincount(where).astype(np.float64)
    rng = np.random.default_rng([seed, 19])
    drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=DRAWS)
    means = (drawn @ sums) / (drawn @ sizes)
    low, high = np.quantile(means, [0.025, 0.975])
    p = at_least(wins, wins + losses)
    return Paired(len(difference), wins, losses, p, float(difference.mean()), float(low), float(high))


def at_least(wins: int, flips: int) -> float:
    """The probability of `wins` or more heads in so many fair flips."""
    return sum(math.comb(flips, k) for k in range(wins, flips + 1)) / 2**flips
