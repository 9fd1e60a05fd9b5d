"""Packed rows: the loss and the gradients of the same sequences one by one, and no look across a border."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

from hybrid_agent.errors import InputError
from train.packing import Sample, collate_packed, fit, model_inputs
from train.stages.sft import completion_loss

SHAPE = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "initializer_range": 0.2,
}
SLIDING = {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}


def llama(attention="sdpa"):
    torch.manual_seed(0)
    return LlamaForCausalLM._from_config(LlamaConfig(**SHAPE), attn_implementation=attention)


def qwen(attention="sdpa"):
    torch.manual_seed(0)
    return Qwen2ForCausalLM._from_config(Qwen2Config(**SHAPE, **SLIDING), attn_implementation=attention)


def mistral(attention="sdpa"):
    torch.manual_seed(0)
    return MistralForCausalLM._from_config(MistralConfig(**SHAPE, sliding_window=4), attn_implementation=attention)


def samples(count=7, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for n in rng.integers(3, 15, count):
        answer = (rng.random(n) < 0.5).astype(np.int16)
        answer[-1] = 1
        made.append(Sample(rng.integers(2, 97, n).astype(np.int32), answer, float(rng.choice([1.0, 2.5]))))
    return made


def one_by_one(model, items):
    """Weighted mean over the answer tokens of all sequences, each in a pass of its own."""
    total = count = 0.0
    for item in items:
        ids = torch.tensor(item.ids.astype(np.int64))[None]
        counts = torch.tensor(item.answer[1:] > 0)
        losses = F.cross_entropy(model(input_ids=ids).logits[0, :-1].float(), ids[0, 1:], reduction="none")
        total = total + (losses[counts] * item.weight).sum()
        count += item.weight * int(counts.sum())
    return total / count


@pytest.mark.parametrize("make", [llama, qwen, mistral])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_loss_and_gradients_are_those_of_the_sequences_one_by_one(make, attention):
    """Tolerance (fp32): 1e-5 of the loss, 1e-5 of the largest gradient of each parameter."""
    packed, alone = make(attention), make(attention)
    items = samples()
    rows = fit([len(s) for s in items], 24)
    assert len(rows) < len(items)
    batch = collate_packed([[items[i] for i in row] for row in rows], 24, 0)
    ours, theirs = completion_loss(packed, batch).value, one_by_one(alone, items)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    ours.backward()
    theirs.backward()
    for (name, a), b in zip(packed.named_parameters(), alone.parameters(), strict=True):
        assert (a.grad - b.grad).abs().max() <= 1e-5 * b.grad.abs().max() + 1e-9, name


@pytest.mark.parametrize("make", [llama, qwen, mistral])
def test_no_sequence_sees_another(make):
    model = make().eval()
    first, second, other = samples(3, seed=5)
    with torch.no_grad():
        batches = [collate_packed([[x, second]], 40, 0) for x in (first, other)]
        hidden = [model.model(**model_inputs(b, model.config, drop_last=False)).last_hidden_state for b in batches]
    parts = [h[0, len(x) : len(x) + len(second)] for h, x in zip(hidden, (first, other), strict=True)]
    assert torch.allclose(*parts, atol=1e-6)
    # The mask is what keeps them apart.
    inputs = model_inputs(batches[0], model.config, drop_last=False) | {"attention_mask": torch.ones(1, 40)}
    with torch.no_grad():
        seen = model.model(**inputs).last_hidden_state
    assert not torch.allclose(seen[0, len(first) : len(first) + len(second)], parts[0], atol=1e-3)


def test_flash_attention_gets_one_row_and_its_boundaries():
    items = samples(4, seed=2)
    config = copy.deepcopy(llama().config)
    config._attn_implementation = "flash_attention_2"
    batch = collate_packed([items[:2], items[2:]], 32, 0)
    inputs = model_inputs(batch, config)
    assert inputs["input_ids"].shape == inputs["position_ids"].shape == (1, 62) and "attention_mask" not in inputs
    a, b, c, d = (len(s) for s in items)
    assert inputs["cu_seq_lens_q"].tolist() == [0, a, a + b, 31, 31 + c, 31 + c + d, 62]
    assert inputs["cu_seq_lens_q"].dtype == torch.int32
    assert inputs["max_length_q"] == max(a, b, c, d, 31 - a - b, 31 - c - d)
    config._attn_implementation = "flex_attention"
    with pytest.raises(InputError, match="flex_attention"):
        model_inputs(batch, config)


def test_rows_are_filled_and_none_is_too_long():
    lengths = np.random.default_rng(1).integers(1, 50, 400).tolist()
    rows = fit(lengths, 100)
    assert sorted(i for row in rows for i in row) == list(range(400))
    filled = [sum(lengths[i] for i in row) for row in rows]
    assert max(filled) <= 100 and sum(filled) / (100 * len(rows)) > 0.97
    with pytest.raises(ValueError, match="does not fit"):
        fit([5, 101], 100)
