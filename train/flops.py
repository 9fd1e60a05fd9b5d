"""Floating-point operations of training, for the MFU.

A matrix of n parameters costs 2n operations a token forward, 2n for the gradient of its input and 2n for its own
gradient; attention adds, per layer, 4·d·T forward and twice that backward for keys at T positions, half of them
masked where it is causal (Chowdhery et al. 2022, PaLM, appendix B, counts them all, and so do we: figures compare).
What is computed again for checkpointed activations does not count.
"""

from __future__ import annotations

from torch import nn


def flops_per_token(model: nn.Module, positions: int = 0) -> float:
    """Operations to train `model` on one token.

    Args:
        model: parameters that are frozen cost no gradient of their own (LoRA: 4n instead of 6n). Embedding tables
            are looked up, not multiplied; one that is tied to the head counts once, for the head.
        positions: tokens that attention sees (the length of a sequence); 0 leaves attention out.
    """
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    heads = {id(m.weight) for m in model.modules() if isinstance(m, nn.Linear)}
    total = 0.0
    for parameter in model.parameters():
        if id(parameter) in tables and id(parameter) not in heads:
            continue
        total += (6 if parameter.requires_grad else 4) * elements(parameter)
    config = getattr(model, "config", None)
    layers, width = getattr(config, "num_hidden_layers", 0), getattr(config, "hidden_size", 0)
    return total + 12.0 * layers * width * positions


def elements(parameter: nn.Parameter) -> int:
    """Elements, also of a parameter that ZeRO-3 has spread over the ranks."""
    return int(getattr(parameter, "ds_numel", 0) or parameter.numel())
