"""From our model config to a stock `transformers` model."""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from hybrid_agent.config.model import ModelConfig


def build_model(config: ModelConfig, *, vocab_size: int, pad_id: int, end_id: int, seed: int = 0) -> LlamaForCausalLM:
    """A freshly initialised decoder (fp32).

    Args:
        config: its shape; `vocab_size` there is what the tokenizer was asked for.
        vocab_size: what the tokenizer really has.
        seed: decides the initial weights.
    """
    llama = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=config.d_model,
        intermediate_size=config.d_mlp,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads or config.heads,
        head_dim=config.d_model // config.heads,
        max_position_embeddings=config.context,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        initializer_range=config.init_std,
        tie_word_embeddings=True,
        pad_token_id=pad_id,
        eos_token_id=end_id,
        bos_token_id=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(llama)
    look_back(model, config.look_back, config.rope_theta)
    return model


@torch.no_grad()
def look_back(model: LlamaForCausalLM, heads: int, rope_theta: float, sharpness: float = 80.0) -> None:
    """Start the first `heads` heads of layer 0 as heads that look 1, 2, ... tokens back.

    Copying needs a head that knows the previous token before a second one can match on it, and in a tiny model that
    first head is slow to form. With rotary embeddings a constant query u and a constant key R(offset) u give a score
    of sum_i |u_i|^2 cos(f_i (distance - offset)), which is largest at the offset. The constant comes from embedding
    dimension 0, which is the same for every token (with tied embeddings that adds the same to all logits, so nothing).

    Args:
        heads: how many; 0 leaves the ordinary initialisation.
        rope_theta: base of the rotary speeds f_i = rope_theta^(-2i / head size).
        sharpness: sum of |u_i|^2 over the rotary pairs used (the score is divided by sqrt(head size) as usual).
    """
    if heads == 0:
        return
    config = model.config
    size = config.hidden_size // config.num_attention_heads
    pairs = size // 2
    used = min(6, pairs)  # the fast pairs: they tell neighbours apart
    speeds = rope_theta ** (-2.0 * torch.arange(used) / size)
    embedding = model.model.embed_tokens.weight
    spread = float(embedding.std())
    embedding[:, 0] = 3 * spread
    constant = 3 / (1 + 8 / config.hidden_size) ** 0.5  # what RMSNorm leaves of it
    length = (sharpness / used) ** 0.5 / constant
    attention = model.model.layers[0].self_attn
    for head in range(heads):
        angles = speeds * (head + 1)
        for weight, cosines, sines in (
            (attention.q_proj.weight, torch.ones(used), torch.zeros(used)),
            (attention.k_proj.weight, angles.cos(), angles.sin()),
        ):
            rows = weight[head * size : (head + 1) * size]
            rows.mul_(0.1)
            rows[:used, 0] = length * cosines
            rows[pairs : pairs + used, 0] = length * sines
