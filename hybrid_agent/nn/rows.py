"""Any `transformers` decoder behind the interface of our own forward pass: one cache a row."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel

from hybrid_agent.nn.lean import LeanLlama, supports
from hybrid_agent.nn.together import MOST_NEW, append_together, can_go_together


class CachedRows:
    """Runs rows one after the other through the stock module."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.model.train(False)
        self.vocab_size = int(model.config.vocab_size)
        self.context = int(getattr(model.config, "max_position_embeddings", 0) or 1 << 20)
        self._caches: dict[int, Any] = {}
        self.row_bytes = _row_bytes(model)
        self._together = can_go_together(model)

    @torch.inference_mode()
    def forward(self, rows: Sequence[int], tokens: Sequence[Sequence[int]], starts: Sequence[int]) -> torch.Tensor:
        """See `LeanLlama.forward`."""
        return torch.cat([self._append(*new, keep=1) for new in zip(rows, tokens, starts, strict=True)])

    @torch.inference_mode()
    def forward_all(self, row: int, tokens: Sequence[int], start: int, at: Sequence[int] | None = None) -> torch.Tensor:
        """See `LeanLlama.forward_all`."""
        logits = self._append(row, tokens, start, keep=0)
        return logits if at is None else logits[list(at)]

    def forward_together(
        self, rows: Sequence[int], tokens: Sequence[Sequence[int]], starts: Sequence[int]
    ) -> torch.Tensor:
        """As `forward`, with one pass for all rows that have few new tokens, where the model allows it."""
        alike = [i for i, new in enumerate(tokens) if starts[i] and len(new) <= MOST_NEW] if self._together else []
        if len(alike) < 2:
            return self.forward(rows, tokens, starts)
        caches = [self._cache(rows[i], starts[i]) for i in alike]
        logits = append_together(self.model, caches, [tokens[i] for i in alike])
        out = dict(zip(alike, logits, strict=True))
        for i in range(len(rows)):
            if i not in out:
                out[i] = self._append(rows[i], tokens[i], starts[i], keep=1)[0]
        return torch.stack([out[i] for i in range(len(rows))])

    @torch.inference_mode()
    def _append(self, row: int, tokens: Sequence[int], start: int, keep: int) -> torch.Tensor:
        """Logits (keep, vocab) after the last tokens; 0 keeps all."""
        ids = torch.tensor([list(tokens)], device=self.model.device)
        result = self.model(input_ids=ids, past_key_values=self._cache(row, start), use_cache=True, logits_to_keep=keep)
        logits: torch.Tensor = result.logits[0].float()
        return logits

    def _cache(self, row: int, start: int) -> Any:
        """The cache of a row, cut back to its first `start` tokens."""
        cache = self._caches.get(row)
        if cache is None or start == 0:
            cache = self._caches[row] = DynamicCache(config=self.model.config)
        elif cache.get_seq_length() > start:
            cache.crop(start - cache.get_seq_length())
        return cache

    @torch.inference_mode()
    def copy_row(self, source: int, targets: Sequence[int], length: int, start: int = 0) -> None:
        """See `LeanLlama.copy_row`; copies all of 0..length."""
        for target in targets:
            if target != source:
                cache = copy.deepcopy(self._caches[source])
                if cache.get_seq_length() > length:
                    cache.crop(length - cache.get_seq_length())
                self._caches[target] = cache


def _row_bytes(model: PreTrainedModel) -> int:
    """About what a row of 4,096 tokens (or of the whole context) takes."""
    c: Any = model.config
    heads = int(getattr(c, "num_key_value_heads", None) or c.num_attention_heads)
    width = int(getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads)
    length = min(4096, int(getattr(c, "max_position_embeddings", 4096) or 4096))
    size = next(model.parameters()).element_size()
    return 2 * int(c.num_hidden_layers) * heads * width * length * size


def fast_rows(model: PreTrainedModel) -> LeanLlama | CachedRows:
    """The lean forward pass where its arithmetic is that of the model and it lies on the CPU, else the stock one."""
    small = model.num_parameters() < 200_000_000
    return LeanLlama(model) if small and model.device.type == "cpu" and supports(model) else CachedRows(model)
