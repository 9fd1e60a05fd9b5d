"""A deeper or wider model out of a trained one, that computes the same."""

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


@torch.no_grad()
def widen(model: LlamaForCausalLM, times: int) -> LlamaForCausalLM:
    """The model with `times` its width, MLP and query heads, and the logits that it had.

    All that is new is zero, so the residual stream is padded with zeros; norms are scaled for the longer vector. The
    new query heads share the key/value heads that there are. A forward pass costs what it costs at that size, which is
    what this is for: zeros on both sides of a product have no gradient, so nothing new would be learnt.

    Raises:
        ValueError: `times` is less than 1.
    """
    if times < 1:
        raise ValueError(f"cannot be made {times} times as wide")
    config = copy.deepcopy(model.config)
    d, kv_heads = config.hidden_size, config.num_key_value_heads or config.num_attention_heads
    size, groups = config.head_dim or d // config.num_attention_heads, config.num_attention_heads // kv_heads
    config.hidden_size, config.intermediate_size = d * times, config.intermediate_size * times
    config.num_attention_heads *= times
    config.rms_norm_eps /= times  # of a mean over `times` as many
    wide = LlamaForCausalLM(config)
    heads = [group * groups * times + head for group in range(kv_heads) for head in range(groups)]
    kept = torch.cat([torch.arange(head * size, (head + 1) * size) for head in heads])
    old = model.state_dict()
    for name, new in wide.state_dict().items():
        given, kind = old[name], name.rsplit(".", 2)[-2]
        new.zero_()
        if kind.endswith("norm"):
            new[:d] = given * times**-0.5
        elif kind == "q_proj":
            new[kept, :d] = given
        elif kind == "o_proj":
            new[:d, kept] = given
        else:
            new[: given.shape[0], : given.shape[1]] = given
    wide.train(model.training)
    return wide
