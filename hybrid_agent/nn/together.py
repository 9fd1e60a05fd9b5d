"""One pass of a stock model for rows that each have a cache of their own.

Cached keys and values are put side by side, padded on the left; new tokens are padded on the right. The copies cost
less than reading a large model's weights once a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

MOST_NEW = 16  # tokens of a row; longer ones are read alone (the logits of all are computed)


def can_go_together(model: PreTrainedModel) -> bool:
    """True for rotary models whose layers all keep every key: padding is then invisible to them."""
    layers = DynamicCache(config=model.config).layers
    rotary = bool(getattr(model.config, "rope_parameters", None))
    return rotary and all(type(layer) is DynamicLayer for layer in layers)


@torch.inference_mode()
def append_together(
    model: PreTrainedModel, caches: Sequence[DynamicCache], tokens: Sequence[Sequence[int]]
) -> torch.Tensor:
    """Append new tokens to each cache; float32 (B, vocab), the logits after the last one of each.

    Args:
        caches: of one row each, none of them empty.
        tokens: at most MOST_NEW for each.
    """
    lengths = [int(cache.get_seq_length()) for cache in caches]
    sizes = [len(new) for new in tokens]
    longest, width, device = max(lengths), max(sizes), model.device
    together = DynamicCache(config=model.config)
    layers: list[Any] = together.layers  # plain ones, see `can_go_together`
    for at, layer in enumerate(layers):
        rows: list[Any] = [cache.layers[at] for cache in caches]
        padded = [
            torch.cat([F.pad(x, (0, 0, longest - length, 0)) for x, length in zip(kind, lengths, strict=True)])
            for kind in ([row.keys for row in rows], [row.values for row in rows])
        ]
        layer.update(*padded)
    ids = torch.tensor([[*new, *[new[-1]] * (width - len(new))] for new in tokens], device=device)
    mask = torch.zeros(len(caches), longest + width, dtype=torch.long, device=device)
    for row, (length, size) in enumerate(zip(lengths, sizes, strict=True)):
        mask[row, longest - length : longest + size] = 1
    positions = torch.tensor(lengths, device=device)[:, None] + torch.arange(width, device=device)
    result = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=together,
        use_cache=True,
        logits_to_keep=width,
    )
    for at, layer in enumerate(layers):
        for row, (cache, size) in enumerate(zip(caches, sizes, strict=True)):
            own: Any = cache.layers[at]
            new = slice(longest, longest + size)
            own.update(layer.keys[row : row + 1, :, new], layer.values[row : row + 1, :, new])
    lasts = torch.tensor(sizes, device=device) - 1
    logits: torch.Tensor = result.logits[torch.arange(len(caches), device=device), lasts].float()
    return logits
