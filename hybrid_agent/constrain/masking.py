"""Putting packed masks onto logits. The only file here that needs torch."""

from __future__ import annotations

import torch

from hybrid_agent.constrain.matcher import Bitmask


def bool_mask(bitmask: Bitmask, vocab_size: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """Unpack int32 masks (K, words) into bool (K, vocab_size), True where a token is allowed.

    Logit columns beyond the mask's width are not allowed.
    """
    words = torch.from_numpy(bitmask).to(device)
    bits = (words.unsqueeze(-1) >> torch.arange(32, dtype=torch.int32, device=words.device)) & 1
    flat = bits.bool().flatten(-2)
    if flat.shape[-1] < vocab_size:
        flat = torch.nn.functional.pad(flat, (0, vocab_size - flat.shape[-1]), value=False)
    return flat[..., :vocab_size]


def apply_mask(logits: torch.Tensor, bitmask: Bitmask) -> torch.Tensor:
    """Set the logits of forbidden tokens to -inf, in place; call it before the softmax.

    Args:
        logits: float (K, vocab) or (vocab,).
        bitmask: int32 (K, words) or (words,) as made by `fill_masks` or `Matcher.mask`.

    Returns:
        The same tensor.
    """
    if logits.shape[:-1] != bitmask.shape[:-1]:
        raise ValueError(f"{tuple(logits.shape)} logits do not fit {bitmask.shape} masks")
    return logits.masked_fill_(~bool_mask(bitmask, logits.shape[-1], logits.device), float("-inf"))
