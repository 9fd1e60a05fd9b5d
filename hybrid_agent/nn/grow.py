"""A deeper model out of a trained one, that starts by computing the same."""

from __future__ import annotations

import copy

import torch
from transformers import LlamaForCausalLM


@torch.no_grad()
def deepen(model: LlamaForCausalLM, layers: int) -> LlamaForCausalLM:
    """The model with copies of its blocks put in until it has `layers` of them, spread evenly.

    A copy's output projections (attention and MLP) are zero, so that it passes its input on unchanged: the deeper model
    has exactly the logits of the given one, and a gradient at those projections. This is block expansion of
    LLaMA Pro (Wu et al. 2024, arXiv:2401.02415), with every weight left trainable.

    Raises:
        ValueError: the model already has more layers than that.
    """
    blocks = model.model.layers
    extra = layers - len(blocks)
    if extra < 0:
        raise ValueError(f"the model has {len(blocks)} layers, {layers} asked for")
    grown = copy.deepcopy(model)
    grown.model.layers = torch.nn.ModuleList()
    for number, block in enumerate(blocks):
        grown.model.layers.append(copy.deepcopy(block))
        copies = extra * (number + 1) // len(blocks) - extra * number // len(blocks)
        for _ in range(copies):
            added = copy.deepcopy(block)
            added.self_attn.o_proj.weight.zero_()
            added.mlp.down_proj.weight.zero_()
            grown.model.layers.append(added)
    for number, block in enumerate(grown.model.layers):
        block.self_attn.layer_idx = number  # its place in the KV cache
    grown.config.num_hidden_layers = layers
    if getattr(grown.config, "layer_types", None):
        grown.config.layer_types = [grown.config.layer_types[0]] * layers
    return grown
