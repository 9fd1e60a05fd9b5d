"""The initial look-back heads attend where they should, and the rest of the model is as usual."""

from __future__ import annotations

import torch

from hybrid_agent.config.model import ModelConfig
from hybrid_agent.nn.build import build_model


def attention_of(look_back: int) -> torch.Tensor:
    """First-layer attention (heads, T, T) on random tokens."""
    config = ModelConfig(heads=5, look_back=look_back)
    model = build_model(config, vocab_size=1024, pad_id=0, end_id=1)
    model.set_attn_implementation("eager")
    ids = torch.randint(20, 1000, (1, 200), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return model(ids, output_attentions=True).attentions[0][0]


def test_head_h_looks_h_plus_one_tokens_back() -> None:
    attention = attention_of(2)
    for head in (0, 1):
        best = attention[head, 20:].argmax(-1)
        right = best == torch.arange(20, 200) - (head + 1)
        assert right.float().mean() > 0.9


def test_other_heads_and_plain_models_have_no_favourite_distance() -> None:
    assert attention_of(2)[2, 150].max() < 0.05
    assert attention_of(0)[0, 150].max() < 0.05
