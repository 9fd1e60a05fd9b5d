"""The decoder on a real vLLM, with a tiny random Llama: `make test-vllm` (CPU build), or any GPU build."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("vllm")

from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.constrain.compile import grammar, portable
from hybrid_agent.constrain.prepare import prepare
from hybrid_agent.decoder.vllm import VllmDecoder, read_tokenizer
from hybrid_agent.decoder.vllm_engine import Request, VllmEngine, VllmOptions
from hybrid_agent.decoder.vllm_loras import LoraShelf
from hybrid_agent.nn.adapters import Adapter, merged, write_adapter
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control, ToolCall, Window

pytestmark = [pytest.mark.gpu, pytest.mark.slow]

WINDOW = Window(goal="remove notes.txt", phase="step", steps=("remove notes.txt",), files=("notes.txt",))
IDS = list(range(20, 60))


class Made:
    """A random model with two adapters, and the engine that has loaded it."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer: PreTrainedTokenizerFast = read_tokenizer(bundle_folder() / "decoder")
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(self.tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=1024,
            initializer_range=0.2,
            tie_word_embeddings=False,
            eos_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
        )
        self.model = LlamaForCausalLM(config).eval()
        self.model.save_pretrained(folder / "model")
        self.tokenizer.save_pretrained(folder / "model")
        for number, name in enumerate(("python", "shell")):
            rng = torch.Generator().manual_seed(number)
            names = [f"model.layers.{layer}.self_attn.{part}_proj" for layer in range(2) for part in "qkvo"]
            factors = {n: (torch.randn(4, 64, generator=rng), torch.randn(64, 4, generator=rng) * 0.2) for n in names}
            write_adapter(Adapter(factors), folder / "experts" / name, torch.float32)
        self.shelf = LoraShelf(folder / "experts")
        options = VllmOptions(dtype="float32", context=512, rows=8, eager=True)
        self.engine = VllmEngine(folder / "model", options, self.shelf.rank)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("vllm"))


@torch.inference_mode()
def greedy(model: torch.nn.Module, count: int) -> list[int]:
    """What the model writes after IDS, by transformers."""
    ids = list(IDS)
    for _ in range(count):
        ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(IDS) :]


def test_the_same_tokens_as_transformers_with_and_without_adapters(made: Made) -> None:
    for name in ("base", "python", "python+shell@0.5"):
        (got,) = made.engine.write(IDS, [Request(1, 6)], made.shelf.lora(name))
        adapter = made.shelf.library.adapter(name)
        wanted = greedy(merged(made.model, adapter) if adapter is not None else made.model, 6)
        assert list(got.tokens) == wanted, name
        assert [top[0] for top in got.tops] == pytest.approx(list(got.chosen))


def test_the_bias_decides_where_it_is_large(made: Made) -> None:
    (got,) = made.engine.write(IDS, [Request(1, 4, bias={77: 90.0})], None)
    assert got.tokens == (77,) * 4


def test_calls_are_valid_and_differ(made: Made) -> None:
    decoder = VllmDecoder(made.engine, made.tokenizer, call_schema(), experts=made.shelf)
    found = decoder.propose(WINDOW, Budget(k=4, temperature=1.0, seed=3, max_tokens=160), Control())
    assert 1 <= len(found) <= 4 and len({one.text for one in found}) == len(found)
    for one in found:
        ToolCall.model_validate_json(one.text)
        assert json.dumps(json.loads(one.text), separators=(",", ":"), ensure_ascii=False) == one.text
    again = decoder.propose(WINDOW, Budget(k=4, temperature=1.0, seed=3, max_tokens=160), Control())
    assert [one.text for one in again] == [one.text for one in found]


def test_masks_are_equal_to_those_of_its_guidance_backend(made: Made) -> None:
    from llguidance import LLMatcher
    from vllm.v1.structured_output.backend_guidance import serialize_guidance_grammar
    from vllm.v1.structured_output.backend_types import StructuredOutputOptions

    schema = call_schema()
    own = grammar(schema, made.tokenizer, eos_token=int(made.tokenizer.eos_token_id))
    theirs = serialize_guidance_grammar(StructuredOutputOptions.JSON, portable(prepare(schema)))
    rng = np.random.default_rng(0)
    for _ in range(5):
        ours, other = own.matcher(), LLMatcher(own.trie, theirs, log_level=0)
        for _ in range(60):
            mask = np.asarray(ours.mask()).view(np.uint8)
            assert mask.tobytes() == bytes(other.compute_bitmask())[: mask.nbytes]
            token = int(rng.choice(np.flatnonzero(np.unpackbits(mask, bitorder="little")[: own.vocab_size])))
            if token == own.eos_token:
                break
            ours.advance([token])
            assert other.consume_token(token)
