"""Deepening and widening a trained model."""

import pytest
import torch

from hybrid_agent.config.model import ModelConfig
from hybrid_agent.nn.build import build_model
from hybrid_agent.nn.grow import deepen, widen
from hybrid_agent.nn.lean import LeanLlama

SHAPE = ModelConfig(vocab_size=300, d_model=32, layers=3, heads=4, d_mlp=48, context=64)
IDS = torch.arange(40)[None] % 64


@pytest.fixture
def model():
    return build_model(SHAPE, vocab_size=64, pad_id=0, end_id=1, seed=3).eval()


@pytest.mark.parametrize("layers", [3, 4, 5, 6, 8])
def test_a_deeper_model_starts_with_the_same_logits(model, layers):
    grown = deepen(model, layers)
    assert len(grown.model.layers) == grown.config.num_hidden_layers == layers
    assert torch.equal(grown(IDS).logits, model(IDS).logits)
    cached = [grown(IDS[:, :30], use_cache=True)]
    cached.append(grown(IDS[:, 30:], past_key_values=cached[0].past_key_values))
    assert torch.allclose(torch.cat([c.logits for c in cached], 1), model(IDS).logits, atol=1e-5)


def test_the_new_blocks_learn_and_the_old_model_is_left_alone(model):
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    grown = deepen(model, 6)
    optimizer = torch.optim.SGD(grown.parameters(), lr=0.1)
    for _ in range(2):  # in the first step only their output projections move
        optimizer.zero_grad()
        grown(IDS, labels=IDS).loss.backward()
        optimizer.step()
    added = grown.model.layers[1]
    assert added.self_attn.o_proj.weight.abs().sum() > 0
    assert not torch.equal(added.mlp.up_proj.weight, before["model.layers.0.mlp.up_proj.weight"])
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


def test_a_grown_model_is_loaded_like_any_other(model, tmp_path):
    grown = deepen(model, 5)
    grown.save_pretrained(tmp_path)
    assert torch.equal(type(model).from_pretrained(tmp_path, dtype=torch.float32)(IDS).logits, model(IDS).logits)


def test_no_model_becomes_shallower(model):
    with pytest.raises(ValueError, match="3 layers, 2"):
        deepen(model, 2)


@pytest.mark.parametrize(("times", "kv_heads"), [(1, 4), (2, 4), (3, 2), (5, 1)])
def test_a_wider_model_has_the_same_logits(times, kv_heads):
    shape = SHAPE.model_copy(update={"kv_heads": kv_heads})
    model = build_model(shape, vocab_size=64, pad_id=0, end_id=1, seed=3).eval()
    for number, block in enumerate(model.model.layers):
        block.input_layernorm.weight.data += 0.1 * number  # as training leaves them
    wide = widen(model, times)
    assert (wide.config.hidden_size, wide.config.num_attention_heads) == (32 * times, 4 * times)
    assert wide.config.num_key_value_heads == kv_heads
    assert torch.allclose(wide(IDS).logits, model(IDS).logits, atol=1e-5)
    lean = LeanLlama(wide).forward([0], [IDS[0].tolist()], [0])
    assert torch.allclose(lean[0], model(IDS).logits[0, -1], atol=1e-4)


def test_no_model_becomes_narrower(model):
    with pytest.raises(ValueError, match="0 times"):
        widen(model, 0)
