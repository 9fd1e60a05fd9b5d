"""Many rows of one model or of several experts, brought on together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch

from hybrid_agent.decoder.kv import KVModel
from hybrid_agent.nn.lean import LeanLlama
from hybrid_agent.nn.ragged import RowWork, forward_ragged
from hybrid_agent.nn.rows import CachedRows


class Work(NamedTuple):
    """Append `tokens` to a row whose first `start` positions are valid, with this model."""

    model: KVModel
    row: int
    tokens: list[int]
    start: int


class RowPool(Protocol):
    """Rows by number, each of any model that was adopted."""

    row_bytes: int

    def adopt(self, model: KVModel) -> KVModel:
        """The model as it is to be named in work."""
        ...

    def forward(self, work: Sequence[Work]) -> torch.Tensor:
        """Logits, float32 (B, vocab), after the last token of each."""
        ...

    def copy(self, model: KVModel, source: int, target: int, length: int, start: int = 0) -> None:
        """Copy positions start..length of one row of this model to another row."""
        ...


class LeanPool:
    """Small Llama models on the CPU: all rows lie in one cache, and one forward pass serves all experts."""

    def __init__(self, model: LeanLlama) -> None:
        self.cache = model.cache.alike()
        self.row_bytes = self.cache.row_bytes

    def adopt(self, model: KVModel) -> KVModel:
        """See `RowPool`; the weights are shared with the model, the cache is the pool's."""
        assert isinstance(model, LeanLlama)
        return model.over(self.cache)

    @torch.inference_mode()
    def forward(self, work: Sequence[Work]) -> torch.Tensor:
        """See `RowPool`."""
        if len(work) == 1:  # one row alone has a faster way
            model, row, tokens, start = work[0]
            return model.forward([row], [tokens], [start])
        return forward_ragged(self.cache, [RowWork(*one) for one in work])  # type: ignore[arg-type]

    @torch.inference_mode()
    def copy(self, model: KVModel, source: int, target: int, length: int, start: int = 0) -> None:
        """See `RowPool`."""
        self.cache.copy(source, [target], length, start)


class StockPool:
    """Any other models: each has its own cache, and one pass a step where `CachedRows` can do that."""

    def __init__(self, model: KVModel) -> None:
        self.row_bytes = int(getattr(model, "row_bytes", 0))

    def adopt(self, model: KVModel) -> KVModel:
        """See `RowPool`."""
        return model

    def forward(self, work: Sequence[Work]) -> torch.Tensor:
        """See `RowPool`."""
        out: dict[int, torch.Tensor] = {}
        for model in {id(one.model): one.model for one in work}.values():
            places = [at for at, one in enumerate(work) if one.model is model]
            run = model.forward_together if isinstance(model, CachedRows) else model.forward
            mine = [work[at] for at in places]
            logits = run([one.row for one in mine], [one.tokens for one in mine], [one.start for one in mine])
            out.update(zip(places, logits, strict=True))
        return torch.stack([out[at] for at in range(len(work))])

    def copy(self, model: KVModel, source: int, target: int, length: int, start: int = 0) -> None:
        """See `RowPool`."""
        model.copy_row(source, [target], length, start)


def pool_of(model: KVModel) -> RowPool:
    """The pool that suits a model."""
    return LeanPool(model) if isinstance(model, LeanLlama) else StockPool(model)
