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
        return LlamaForCausalLM(llama)
