"""Labelled contexts as arrays, their parts (train, validation, calibration), and batches of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import tokenizer_hash
from hybrid_agent.runs.atomic import file_hash, write_atomic
from hybrid_agent.scorer.encode import Batch, Encoder, pack
from hybrid_agent.scorer.features import FEATURES, VERSION, features
from hybrid_agent.scorer.view import view_of
from hybrid_agent.traces.contexts import Stratum, read_contexts
from hybrid_agent.traces.domains import DOMAINS, domain_of
from train.data import bucket

STRATA: tuple[Stratum, ...] = get_args(Stratum)
PARTS = ("train", "val", "calibration")
_MASKED = ("flaky", "infra_failure")  # neither right nor wrong


@dataclass(frozen=True)
class Contexts:
    """N contexts with C candidates in all, in order.

    Attributes:
        prefix: int32 ids of all prefixes, context i from prefix_at[i] to prefix_at[i + 1].
        tokens: int32 ids of all candidates, candidate j from tokens_at[j] to tokens_at[j + 1].
        first: int64 (N + 1,), the first candidate of each context.
        features: float32 (C, F).
        passed: bool (C,).
        domain, stratum: int8 (C,), index into DOMAINS and STRATA.
        logprob: float32 (C,), what the decoder gives it; `written` bool (C,): the decoder wrote it.
        groups: (N,) names that tie contexts of one task together.
        masked: candidates left out because their label says nothing.
    """

    prefix: NDArray[np.int32]
    prefix_at: NDArray[np.int64]
    tokens: NDArray[np.int32]
    tokens_at: NDArray[np.int64]
    first: NDArray[np.int64]
    features: NDArray[np.float32]
    passed: NDArray[np.bool_]
    domain: NDArray[np.int8]
    stratum: NDArray[np.int8]
    logprob: NDArray[np.float32]
    written: NDArray[np.bool_]
    groups: NDArray[np.str_]
    masked: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.groups)

    def lengths(self, packed: bool) -> NDArray[np.int64]:
        """Tokens that each context takes in a batch, (N,)."""
        prefixes, counts = np.diff(self.prefix_at), np.diff(self.first)
        own = self.tokens_at[self.first[1:]] - self.tokens_at[self.first[:-1]]
        return np.maximum(1, own + (prefixes if packed else prefixes * counts))

    def candidates(self, contexts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the candidates of these contexts, in order."""
        parts = [np.arange(self.first[i], self.first[i + 1]) for i in contexts]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def contexts_file(path: Path) -> Path:
    """The contexts file that a path names: itself, or the one in a folder that `traces build` made."""
    return path / "contexts.jsonl.gz" if path.is_dir() else path


def load_contexts(path: Path, tokenizer: PreTrainedTokenizerFast | None, context: int, cache: Path) -> Contexts:
    """Read a contexts file, with its features and tokens; the arrays are kept in `cache` for the next call.

    Args:
        tokenizer: None leaves the tokens empty (no trunk).

    Raises:
        InputError: no such file, a bad line, or no candidate with a label.
    """
    if not path.is_file():
        raise InputError(
            "no such contexts file", where=str(path), field="stage.contexts", fix="hybrid-agent traces build"
        )
    vocabulary = tokenizer_hash(tokenizer) if tokenizer is not None else ""
    made_of = f"2 {VERSION} {FEATURES} {file_hash(path)} {vocabulary} {context}"
    key = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    stored = cache / f"contexts-{key}.npz"
    if not stored.is_file():
        arrays = _arrays(path, Encoder(tokenizer, context) if tokenizer is not None else None)
        write_atomic(stored, lambda temp: _save(temp, arrays))
    with np.load(stored, allow_pickle=False) as z:
        return Contexts(**{f.name: z[f.name] for f in fields(Contexts)})


def _save(temp: Path, arrays: dict[str, Any]) -> None:
    with temp.open("wb") as handle:
        np.savez(handle, **arrays)


def _arrays(path: Path, encoder: Encoder | None) -> dict[str, Any]:
    prefixes: list[list[int]] = []
    tokens: list[list[int]] = []
    counts: list[int] = []
    rows: list[NDArray[np.float32]] = []
    facts: list[tuple[bool, int, int, float, bool]] = []
    groups: list[str] = []
    masked = 0
    for context in read_contexts(path):
        kept = [c for c in context.candidates if c.label not in _MASKED]
        masked += len(context.candidates) - len(kept)
        if not kept:
            continue
        view = view_of(context.window)
        prefixes.append(encoder.prefix(context.window) if encoder else [])
        groups.append(context.group)
        counts.append(len(kept))
        for c in kept:
            s = c.segment
            rows.append(features(view, s, c.verdict))
            tokens.append(encoder.candidate(s.text) if encoder else [])
            kind = (DOMAINS.index(domain_of(s.text)), STRATA.index(c.stratum))
            facts.append((c.label == "pass", *kind, s.logprob, c.stratum == "sampled"))
    if not rows:
        raise InputError("no candidate has a label that says anything", where=str(path))
    passed, domain, stratum, logprob, written = zip(*facts, strict=True)
    return {
        "prefix": _flat(prefixes),
        "prefix_at": _starts([len(p) for p in prefixes]),
        "tokens": _flat(tokens),
        "tokens_at": _starts([len(t) for t in tokens]),
        "first": _starts(counts),
        "features": np.stack(rows),
        "passed": np.array(passed, np.bool_),
        "domain": np.array(domain, np.int8),
        "stratum": np.array(stratum, np.int8),
        "logprob": np.array(logprob, np.float32),
        "written": np.array(written, np.bool_),
        "groups": np.array(groups),
        "masked": np.array(masked),
    }


def _flat(lists: Sequence[Sequence[int]]) -> NDArray[np.int32]:
    return np.array([token for ids in lists for token in ids], np.int32)


def _starts(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def parts(data: Contexts, val: float, calibration: float, seed: int) -> dict[str, NDArray[np.int64]]:
    """Contexts of train, val and calibration; all contexts of a group fall into one part, whatever else is in the file.

    Raises:
        InputError: a part is empty.
    """
    found: dict[str, list[int]] = {name: [] for name in PARTS}
    where = {group: _place(str(group), seed) for group in set(data.groups.tolist())}
    for i, group in enumerate(data.groups.tolist()):
        at = where[group]
        found["val" if at < val else "calibration" if at < val + calibration else "train"].append(i)
    for name, rows in found.items():
        if not rows:
            raise InputError(f"no group of contexts falls into the {name} part", field="stage.contexts", fix="add more")
    return {name: np.array(rows, np.int64) for name, rows in found.items()}


def _place(group: str, seed: int) -> float:
    """A number in [0, 1) that depends on nothing but the group's name and the seed."""
    return int.from_bytes(hashlib.sha256(f"{seed} {group}".encode()).digest()[:7]) / 2**56


@dataclass(frozen=True)
class Labelled:
    """A batch: the text (None without a trunk) and what is known of its C candidates.

    `owner` int64 (C,) numbers the contexts within the batch; `index` are the candidates' numbers in the data.
    """

    text: Batch | None
    features: torch.Tensor
    domain: torch.Tensor
    passed: torch.Tensor
    owner: torch.Tensor
    index: NDArray[np.int64]
    size: int

    def to(self, device: torch.device) -> Labelled:
        """The same batch on another device."""
        text = self.text.to(device) if self.text else None
        moved = (t.to(device) for t in (self.features, self.domain, self.passed, self.owner))
        return Labelled(text, *moved, index=self.index, size=self.size)


def collate(data: Contexts, contexts: NDArray[np.int64], packed: bool) -> Labelled:
    """Put contexts into one batch."""
    index = data.candidates(contexts)
    owner = np.repeat(np.arange(len(contexts)), np.diff(data.first)[contexts])
    text = None
    if len(data.tokens):
        prefixes = [data.prefix[data.prefix_at[i] : data.prefix_at[i + 1]].tolist() for i in contexts]
        groups = [
            [data.tokens[data.tokens_at[j] : data.tokens_at[j + 1]].tolist() for j in data.candidates(np.array([i]))]
            for i in contexts
        ]
        text = pack(prefixes, groups, packed)
    return Labelled(
        text,
        torch.from_numpy(data.features[index]),
        torch.from_numpy(data.domain[index].astype(np.int64)),
        torch.from_numpy(data.passed[index]),
        torch.from_numpy(owner),
        index,
        int(text.ids.numel()) if text is not None else len(index),
    )


class ContextStream:
    """Endless shuffled batches of contexts of similar size; the order depends only on the seed and the epoch."""

    def __init__(
        self, data: Contexts, rows: NDArray[np.int64], batch_tokens: int, seed: int, packed: bool, pool: int = 1024
    ) -> None:
        self.data, self.rows, self.batch_tokens, self.seed = data, rows, batch_tokens, seed
        self.packed, self.pool, self.lengths = packed, pool, data.lengths(packed)
        if not len(data.tokens):
            self.lengths = np.full(len(data), 16, np.int64)  # features only: by count
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

    def next(self) -> Labelled:
        """The next batch; starts the next epoch when this one is used up."""
        if self.index >= len(self._plan):
            self.epoch, self.index = self.epoch + 1, 0
            self._plan = self._shuffle(self.epoch)
        rows = self._plan[self.index]
        self.index += 1
        return collate(self.data, rows, self.packed)

    def _shuffle(self, epoch: int) -> list[NDArray[np.int64]]:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(self.rows)
        plan: list[NDArray[np.int64]] = []
        for start in range(0, len(order), self.pool):
            plan += bucket(order[start : start + self.pool], self.lengths, self.batch_tokens)
        return [plan[i] for i in rng.permutation(len(plan))]
