"""Training sequences: from text with marked answers to token arrays and batches.

A data file is JSONL (or .jsonl.gz), one sequence a line:
`{"segments": [{"text": ..., "train": bool}, ...], "weight": 1.0, "kind": "os"}`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from transformers import PreTrainedTokenizerFast

from hybrid_agent.config.explain import explain
from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import encode_batch, tokenizer_hash
from hybrid_agent.runs.atomic import file_hash, write_atomic
from hybrid_agent.types import Record

CHUNK = 4000


class Segment(Record):
    """A stretch of text; the loss is taken on it if `train`."""

    text: str
    train: bool


class Line(Record):
    """One line of a data file. `wording` names what said its goal, where that is known (train.hard goes by it)."""

    segments: tuple[Segment, ...] = Field(min_length=1)
    weight: float = Field(default=1.0, ge=0)
    kind: str = ""
    wording: str = ""


@dataclass(frozen=True)
class Sequences:
    """Tokenised sequences, one after the other.

    Attributes:
        tokens: uint16 (total,), uint32 for a vocabulary that needs it.
        answer: int16 (total,), 0 where no loss is taken, else the number of the answer within its sequence, from 1.
        starts: int64 (n + 1,).
        weights: float32 (n,).
        kinds: int16 (n,), index into `kind_names`.
        dropped: sequences that had no answer within the context.
    """

    tokens: NDArray[Any]
    answer: NDArray[np.int16]
    starts: NDArray[np.int64]
    weights: NDArray[np.float32]
    kinds: NDArray[np.int16]
    kind_names: tuple[str, ...]
    dropped: int

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each sequence, (n,)."""
        return np.diff(self.starts)


@dataclass(frozen=True)
class Batch:
    """Padded on the right. ids int64 (B, T); answer int64 (B, T) as in `Sequences`; weights float (B,)."""

    ids: torch.Tensor
    answer: torch.Tensor
    weights: torch.Tensor
    kinds: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        moved = (t.to(device, non_blocking=True) for t in (self.ids, self.answer, self.weights, self.kinds))
        return Batch(*moved)


def read_sequences(path: Path) -> Iterator[Line]:
    """Read a data file line by line.

    Raises:
        InputError: the file is missing or a line is not a sequence; names the line.
    """
    if not path.is_file():
        raise InputError("no such data file", where=str(path), field="stage.data")
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield Line.model_validate_json(line)
            except ValidationError as error:
                raise explain(error, Line, where=f"{path}:{number}") from None


def sample_texts(path: Path, limit: int) -> Iterator[str]:
    """The text of about `limit` sequences spread evenly over the file (for the tokenizer)."""
    total = sum(1 for _ in read_lines(path))
    every = max(1, total // limit)
    for number, line in enumerate(read_lines(path)):
        if number % every == 0:
            yield "".join(s["text"] for s in json.loads(line)["segments"])


def read_lines(path: Path) -> Iterator[str]:
    """The raw lines of a data file."""
    with _open(path) as lines:
        yield from lines


def _open(path: Path) -> TextIO:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def load_sequences(path: Path, tokenizer: PreTrainedTokenizerFast, context: int, cache: Path) -> Sequences:
    """Tokenise a data file once; later calls with the same file, tokenizer and context read the cached arrays."""
    if not path.is_file():
        raise InputError("no such data file", where=str(path), field="stage.data")
    key = hashlib.sha256(f"2 {file_hash(path)} {tokenizer_hash(tokenizer)} {context}".encode()).hexdigest()[:16]
    stored = cache / f"tokens-{key}.npz"
    if not stored.is_file():
        arrays = _tokenise(path, tokenizer, context)
        write_atomic(stored, lambda temp: _save(temp, arrays))
    with np.load(stored, allow_pickle=False) as z:
        names = tuple(str(n) for n in z["kind_names"])
        return Sequences(z["tokens"], z["answer"], z["starts"], z["weights"], z["kinds"], names, int(z["dropped"]))


def _save(temp: Path, arrays: dict[str, Any]) -> None:
    with temp.open("wb") as handle:
        np.savez(handle, **arrays)


def token_type(tokenizer: PreTrainedTokenizerFast) -> type[np.unsignedinteger[Any]]:
    """The narrowest type that holds every token id."""
    return np.uint16 if len(tokenizer) <= 1 << 16 else np.uint32


def encode(
    lines: Sequence[Line], tokenizer: PreTrainedTokenizerFast, context: int
) -> Iterator[tuple[list[int], list[int]] | None]:
    """(token ids, answer marks as in `Sequences`) of each line, cut after its last whole answer within the context.

    None where there is none. Segments are tokenised one by one: an answer never shares a token with what is before.
    """
    ids = iter(encode_batch(tokenizer, [s.text for line in lines for s in line.segments]))
    for line in lines:
        row: list[int] = []
        marks: list[int] = []
        end = number = 0  # `end`: where the last whole answer stops
        for segment in line.segments:
            piece = next(ids)
            number += segment.train
            row += piece
            marks += [number if segment.train else 0] * len(piece)
            if segment.train and len(row) <= context:
                end = len(row)
        yield (row[:end], marks[:end]) if end else None


def _tokenise(path: Path, tokenizer: PreTrainedTokenizerFast, context: int) -> dict[str, Any]:
    tokens: list[NDArray[Any]] = []
    answers: list[NDArray[np.int16]] = []
    weights: list[float] = []
    kinds: list[int] = []
    names: dict[str, int] = {}
    dropped = 0
    dtype = token_type(tokenizer)
    chunk: list[Line] = []

    def flush() -> None:
        nonlocal dropped
        for sequence, made in zip(chunk, encode(chunk, tokenizer, context), strict=True):
            if made is None:
                dropped += 1
                continue
            tokens.append(np.array(made[0], dtype))
            answers.append(np.array(made[1], np.int16))
            weights.append(sequence.weight)
            kinds.append(names.setdefault(sequence.kind, len(names)))
        chunk.clear()

    for sequence in read_sequences(path):
        chunk.append(sequence)
        if len(chunk) == CHUNK:
            flush()
    flush()
    if not tokens:
        raise InputError(f"no sequence has an answer within {context} tokens", where=str(path))
    starts = np.concatenate([[0], np.cumsum([len(t) for t in tokens])]).astype(np.int64)
    return {
        "tokens": np.concatenate(tokens),
        "answer": np.concatenate(answers),
        "starts": starts,
        "weights": np.array(weights, np.float32),
        "kinds": np.array(kinds, np.int16),
        "kind_names": np.array(list(names)),
        "dropped": np.array(dropped),
    }


def split(data: Sequences, val_share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers (train, val), disjoint and together all."""
    order = np.random.default_rng([seed, 7]).permutation(len(data))
    n_val = min(round(len(data) * val_share), len(data) - 1)
    return np.sort(order[n_val:]), np.sort(order[:n_val])


def collate(data: Sequences, rows: Sequence[int] | NDArray[np.int64], pad_id: int) -> Batch:
    """Put rows into one padded batch."""
    lengths = data.lengths[rows]
    ids = np.full((len(rows), int(lengths.max())), pad_id, np.int64)
    answer = np.zeros_like(ids)
    for i, row in enumerate(rows):
        a, b = data.starts[row], data.starts[row + 1]
        ids[i, : b - a] = data.tokens[a:b]
        answer[i, : b - a] = data.answer[a:b]
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(answer),
        torch.from_numpy(data.weights[rows]),
        torch.from_numpy(data.kinds[rows].astype(np.int64)),
    )


class BatchStream:
    """Endless shuffled batches of similar lengths, within a budget of padded tokens.

    The position is (epoch, index) and the order depends only on the seed and the epoch, so a resumed run sees
    exactly the batches that an uninterrupted one would have seen.
    """

    def __init__(
        self, data: Sequences, rows: NDArray[np.int64], batch_tokens: int, seed: int, pad_id: int, pool: int = 4096
    ) -> None:
        self.data, self.rows, self.batch_tokens, self.seed, self.pad_id = data, rows, batch_tokens, seed, pad_id
        self.pool = pool
        self.epoch = self.index = 0
        self._plan = self._shuffle(0)

    def __len__(self) -> int:
        return len(self._plan)

    def state(self) -> dict[str, int]:
        """What `restore` needs to go on from here."""
        return {"epoch": self.epoch, "index": self.index}

    def restore(self, state: dict[str, int]) -> None:
        """Go on from a state of a stream over the same data."""
        self.epoch, self.index = state["epoch"], state["index"]
        self._plan = self._shuffle(self.epoch)

    def next(self) -> Batch:
        """The next batch; starts the next epoch when this one is used up."""
        if self.index >= len(self._plan):
            self.epoch, self.index = self.epoch + 1, 0
            self._plan = self._shuffle(self.epoch)
        rows = self._plan[self.index]
        self.index += 1
        return collate(self.data, rows, self.pad_id)

    def _shuffle(self, epoch: int) -> list[NDArray[np.int64]]:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(self.rows)
        plan: list[NDArray[np.int64]] = []
        for start in range(0, len(order), self.pool):
            plan += bucket(order[start : start + self.pool], self.data.lengths, self.batch_tokens)
        return [plan[i] for i in rng.permutation(len(plan))]


def bucket(rows: NDArray[np.int64], lengths: NDArray[np.int64], batch_tokens: int) -> list[NDArray[np.int64]]:
    """Group rows of similar length so that (rows x longest) stays within the budget (at least one row each)."""
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    groups, start = [], 0
    for end in range(1, len(ordered) + 1):
        # Rows are in order of length, so the newest row is the longest of the group.
        if end == len(ordered) or (end + 1 - start) * lengths[ordered[end]] > batch_tokens:
            groups.append(ordered[start:end])
            start = end
    return groups
