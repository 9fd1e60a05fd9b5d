"""Our forward pass against the stock module."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from hybrid_agent.nn.lean import LeanLlama, supports
from hybrid_agent.nn.rows import CachedRows, fast_rows
from tests.unit.decoder_models import model

CONTEXT = 256


@pytest.mark.parametrize("kv_heads", [None, 2, 1])
@pytest.mark.parametrize("rows_of", [LeanLlama, CachedRows])
def test_logits_equal_the_stock_module(kv_heads, rows_of):
    stock = model(kv_heads)
    ids = torch.randint(0, 600, (1, CONTEXT), generator=torch.Generator().manual_seed(1))
    text = ids[0].tolist()
    with torch.inference_mode():
        expected = stock(ids).logits[0]

    rows = rows_of(stock)

    def agrees(got, last):
        return torch.testing.assert_close(got, expected[last], atol=1e-4, rtol=0)

    agrees(rows.forward([0], [text[:100]], [0])[0], 99)  # an empty cache
    agrees(rows.forward([0], [text[100:101]], [100])[0], 100)  # one token
    agrees(rows.forward([0], [text[101:108]], [101])[0], 107)  # several tokens after others
    agrees(rows.forward([0], [text[90:95]], [90])[0], 94)  # cut back
    agrees(rows.forward_all(0, text[92:99], 92), slice(92, 99))  # everywhere
    agrees(rows.forward_all(0, text[95:99], 95, at=[0, 2]), [95, 97])
    agrees(rows.forward([0], [text[93:95]], [93])[0], 94)
    rows.copy_row(0, [1, 2, 3], 95)
    got = rows.forward([0, 1, 3], [text[95:97], text[80:96], text[95:96]], [95, 80, 95])  # unequal rows, a gap
    for row, last in enumerate((96, 95, 95)):
        agrees(got[row], last)
    got = rows.forward([0, 1, 2, 3], [text[97:98], text[96:97], text[95:97], text[96:99]], [97, 96, 95, 96])
    for row, last in enumerate((97, 96, 96, 98)):
        agrees(got[row], last)
    rows.forward([1], [text[97:250]], [97])
    got = rows.forward([0, 1], [text[98:112], text[250:256]], [98, 250])  # padding would run over the context's end
    agrees(got[0], 111)
    agrees(got[1], 255)


def test_a_text_beyond_the_context_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        LeanLlama(model()).forward([0], [[1] * 10], [CONTEXT - 9])


def test_other_arithmetic_falls_back_to_the_stock_module():
    sizes = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    biased = LlamaForCausalLM(LlamaConfig(**sizes, **heads, attention_bias=True))
    other = Qwen2ForCausalLM(Qwen2Config(**sizes, **heads))
    for stock in (biased, other):
        assert not supports(stock)
        rows = fast_rows(stock.eval())
        assert isinstance(rows, CachedRows)
        with torch.inference_mode():
            expected = stock(torch.tensor([[3, 4, 5, 6]])).logits[0, -1]
        rows.forward([0], [[3, 4, 5]], [0])
        torch.testing.assert_close(rows.forward([0], [[6]], [3])[0], expected, atol=1e-4, rtol=0)
    assert isinstance(fast_rows(model()), LeanLlama)
