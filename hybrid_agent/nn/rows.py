"""Any `transformers` decoder behind the interface of our own forward pass: one cache a row."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel

from hybrid_agent.nn.lean import LeanLlama, supports


class CachedRows:
    """Runs rows one after the other through the stock module."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.model.train(False)
        self.vocab_size = int(model.config.vocab_size)
        self.context = int(getattr(model.config, "max_position_embeddings", 0) or 1 << 20)
        self._caches: dict[int, Any] = {}

    @torch.inference_mode()
    def forward(self, rows: Sequence[int], tokens: Sequence[Sequence[int]], starts: Sequence[int]) -> torch.Tensor:
        """See `LeanLlama.forward`."""
        out = []
        for row, new, start in zip(rows, tokens, starts, strict=True):
            cache = self._caches.get(row)
            if cache is None or start == 0:
                cache = self._caches[row] = DynamicCache(config=self.model.config)
            elif cache.get_seq_length() > start:
                cache.crop(start - cache.get_seq_length())
            ids = torch.tensor([list(new)], device=self.model.device)
            result = self.model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            out.append(result.logits[0, -1])
        return torch.stack(out).float()

    def copy_row(self, source: int, targets: Sequence[int], length: int, start: int = 0) -> None:
        """See `LeanLlama.copy_row`; copies all of 0..length."""
        for target in targets:
            if target != source:
                cache = copy.deepcopy(self._caches[source])
                if cache.get_seq_length() > length:
                    cache.crop(length - cache.get_seq_length())
                self._caches[target] = cache


def fast_rows(model: PreTrainedModel) -> LeanLlama | CachedRows:
    """The lean forward pass where its arithmetic is that of the model and it lies on the CPU, else the stock one."""
    small = model.num_parameters() < 200_000_000
    return LeanLlama(model) if small and model.device.type == "cpu" and supports(model) else CachedRows(model)
