"""Whose work each answer of the training sequences is, and data cut accordingly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from hybrid_agent.traces.domains import EXPERTS, expert_of
from train.data import Sequences

CHUNK = 20000


@dataclass(frozen=True)
class Answers:
    """All answers of some sequences, in order.

    Attributes:
        row: int64 (n,), the sequence it is in.
        start, stop: int64 (n,), its tokens in `Sequences.tokens`.
        expert: int8 (n,), index into EXPERTS.
    """

    row: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    expert: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.row)

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the answers in the given sequences, in order."""
        return np.flatnonzero(np.isin(self.row, rows))


def find_answers(data: Sequences, tokenizer: PreTrainedTokenizerFast) -> Answers:
    """Find the answers and read off each one's expert."""
    number = data.answer.astype(np.int64)
    number += np.repeat(np.arange(len(data), dtype=np.int64) << 16, data.lengths)  # tells sequences apart
    marked = np.flatnonzero(data.answer)
    key = number[marked]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    start = marked[first]
    stop = marked[np.append(first[1:], len(marked)) - 1] + 1
    row = key[first] >> 16
    experts: list[int] = []
    for at in range(0, len(start), CHUNK):
        ends = zip(start[at : at + CHUNK], stop[at : at + CHUNK], strict=True)
        texts = tokenizer.backend_tokenizer.decode_batch([data.tokens[a:b].tolist() for a, b in ends])
        experts += [EXPERTS.index(expert_of(text)) for text in texts]
    return Answers(row, start, stop, np.array(experts, np.int8))


def groups(data: Sequences) -> NDArray[np.int64]:
    """A number for each sequence, the same where all answers are the same: other wordings of one step stay together."""
    out = np.empty(len(data), np.int64)
    for row in range(len(data)):
        a, b = data.starts[row], data.starts[row + 1]
        said = data.tokens[a:b][data.answer[a:b] > 0].tobytes()
        out[row] = int.from_bytes(hashlib.blake2b(said, digest_size=7).digest(), "big")
    return out


def hold_out(group: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows (kept, held out), no group in both."""
    distinct = np.unique(group)
    order = np.random.default_rng([seed, 11]).permutation(distinct)
    held = order[: max(1, round(share * len(distinct)))]
    out = np.isin(group, held)
    return np.flatnonzero(~out), np.flatnonzero(out)


def sample_rows(rows: NDArray[np.int64], limit: int, seed: int) -> NDArray[np.int64]:
    """At most `limit` of the rows, in order."""
    if len(rows) <= limit:
        return rows
    return np.sort(np.random.default_rng([seed, 13]).choice(rows, limit, replace=False))


def specialise(
    data: Sequences, answers: Answers, rows: NDArray[np.int64], experts: Sequence[str], share: float, seed: int
) -> tuple[Sequences, NDArray[np.int64]]:
    """What specialists for `experts` train on.

    Args:
        rows: the sequences that may be used.
        share: of the result's sequences, those drawn from all rows, with the loss on every answer.

    Returns:
        the data with the loss on other experts' answers switched off elsewhere, and its rows: all that hold an answer
        of theirs and the ordinary ones. The generalist's slice is everything.
    """
    if "generalist" in experts:
        return data, rows
    wanted = np.isin(answers.expert, [EXPERTS.index(name) for name in experts])  # type: ignore[arg-type]
    own = np.intersect1d(rows, answers.row[wanted])
    count = min(len(rows), round(share / (1 - share) * len(own)))
    ordinary = np.sort(np.random.default_rng([seed, 17]).choice(rows, count, replace=False))
    answer = data.answer.copy()
    for number in np.flatnonzero(~wanted & ~np.isin(answers.row, ordinary)):
        answer[answers.start[number] : answers.stop[number]] = 0
    return replace(data, answer=answer), np.union1d(own, ordinary)
