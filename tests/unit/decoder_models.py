"""Small untrained models for decoder tests (weights large enough that choices are far apart)."""

import functools
import random

import torch

from hybrid_agent.config.model import ModelConfig
from hybrid_agent.nn.build import build_model
from hybrid_agent.nn.tokenizer import train_tokenizer
from hybrid_agent.packs import words

torch.set_num_threads(1)


@functools.cache
def tokenizer():
    """A tokenizer of 600 tokens."""
    rng = random.Random(1)
    return train_tokenizer((" ".join(rng.choices(words.TRAIN, k=8)) for _ in range(300)), 600)


@functools.cache
def model(kv_heads=None, context=256, vocab_size=600):
    """A two-layer Llama whose norms are not one."""
    config = ModelConfig(d_model=48, layers=2, heads=4, kv_heads=kv_heads, d_mlp=96, context=context, init_std=0.15)
    with torch.inference_mode(False):  # whoever asks first, all tests may train it
        made = build_model(config, vocab_size=vocab_size, pad_id=0, end_id=1, seed=5).eval()
    generator = torch.Generator().manual_seed(0)
    for name, parameter in made.named_parameters():
        if "norm" in name:
            parameter.data.uniform_(0.5, 1.5, generator=generator)
    return made
