"""Texts to unit vectors, on the CPU and without a download; a stored encoder can be configured in its place."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.errors import InputError

Vectors = NDArray[np.float32]

_TOKEN = re.compile(r"\"[^\"]*\"|'[^']{2,}'|`[^`]*`|[^\s,;:!?()\"'`]+")
_NAME = re.compile(r"[\w./+@~-]*[./_\d][\w./+@~-]*")
COMMON = frozenset("a an the of to in into on with and then it its is that this for from by as at be".split())
SPREAD = 4  # coordinates a feature falls on: a sparse random projection


class Embedder(Protocol):
    """Gives texts of like meaning vectors of high cosine. `name` changes whenever the vectors would."""

    name: str
    dim: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dim)."""
        ...


class HashedEmbedder:
    """Words, pairs of words and letter trigrams, hashed and projected to `dim` signed coordinates.

    File names, numbers and quoted texts count little by themselves and much as what they are (a path, a number, a
    text), so that goals of the same shape are near each other whatever values they name. The projection is that of
    Achlioptas (2003) with hashing in place of a stored matrix (Weinberger et al., 2009).
    """

    def __init__(self, dim: int = 256) -> None:
        self.dim, self.name = dim, f"hashed:{dim}:1"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`. A text without any feature is the zero vector."""
        out = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            spots: list[int] = []
            weights: list[float] = []
            for feature, weight in features(text):
                for spot, sign in _spots(feature, self.dim):
                    spots.append(spot)
                    weights.append(sign * weight)
            if spots:
                sums = np.bincount(spots, weights, self.dim)
                out[row] = sums / max(float(np.linalg.norm(sums)), 1e-9)
        return out


class HfEmbedder:
    """Mean of the last hidden states of an encoder in a local folder. Loads torch."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file():
            fix = "give a folder saved by save_pretrained: embedder=hf:FOLDER"
            raise InputError("no model folder there", where=str(folder), field="embedder", fix=fix)
        from transformers import AutoModel, AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self.dim = int(self._model.config.hidden_size)
        self.name = f"hf:{folder.resolve()}:{self.dim}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        import torch

        rows = []
        for begin in range(0, len(texts), 32):
            batch = self._tokenizer(
                list(texts[begin : begin + 32]), padding=True, truncation=True, max_length=256, return_tensors="pt"
            )
            mask = batch["attention_mask"]
            with torch.inference_mode():
                states = self._model(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).to(states.dtype)
            mean = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
            rows.append(torch.nn.functional.normalize(mean.float(), dim=-1).numpy())
        return np.concatenate(rows) if rows else np.zeros((0, self.dim), np.float32)


def make_embedder(spec: str) -> Embedder:
    """The embedder of `hashed:DIM` or `hf:FOLDER`.

    Raises:
        InputError: neither of them, or no such folder.
    """
    kind, _, target = spec.partition(":")
    if kind == "hashed" and target.isdigit() and 16 <= int(target) <= 4096:
        return HashedEmbedder(int(target))
    if kind == "hf" and target:
        return HfEmbedder(Path(target).expanduser())
    raise InputError(f"no embedder {spec!r}", field="embedder", fix="use hashed:256 or hf:FOLDER")


def features(text: str) -> list[tuple[str, float]]:
    """What a text is made of, with weights."""
    found: list[tuple[str, float]] = []
    before = "^"
    for raw in _TOKEN.findall(text.lower()):
        token = raw.rstrip(".")
        kind = kind_of(token)
        if kind == "word":
            weight = 0.3 if token in COMMON else 1.0
            found.append((token, weight))
            if weight == 1.0 and len(token) > 3:
                padded = f"<{token}>"
                found += [(padded[i : i + 3], 0.25) for i in range(len(padded) - 2)]
            name = token
        else:
            name = f"<{kind}>"
            found += [(name, 1.0), (token, 0.35)]
            suffix = token.rpartition(".")[2]
            if kind == "path" and suffix != token:
                found.append((f".{suffix}", 0.5))
        found.append((f"{before} {name}", 0.6))
        before = name
    return found


def kind_of(token: str) -> str:
    """`text` (quoted), `number`, `path` (a name with a dot, slash, digit or underscore) or `word`."""
    if token[:1] in "\"'`":
        return "text"
    if token.isdigit():
        return "number"
    return "path" if _NAME.fullmatch(token) else "word"


@lru_cache(maxsize=1 << 17)
def _spots(feature: str, dim: int) -> tuple[tuple[int, float], ...]:
    out, seed = [], 0
    for _ in range(SPREAD):
        seed = zlib.crc32(feature.encode("utf-8", "replace"), seed)
        out.append(((seed >> 1) % dim, 1.0 if seed & 1 else -1.0))
        seed = (seed * 2654435761 + 1) & 0xFFFFFFFF
    return tuple(out)
