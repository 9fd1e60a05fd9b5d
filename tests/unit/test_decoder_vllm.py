"""What vLLM is asked and how its answers are read, without vLLM: a stand-in engine says prepared texts."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from llguidance import LLMatcher

from hybrid_agent.assemble.decoders import DecoderSpec, bundle_folder, decoder_hash, make_decoder, parse_decoder
from hybrid_agent.assemble.parts import base_folder
from hybrid_agent.constrain.compile import grammar, portable
from hybrid_agent.constrain.prepare import prepare
from hybrid_agent.constrain.tokens import token_trie
from hybrid_agent.decoder.checkpoint import load_checkpoint
from hybrid_agent.decoder.shaping import WIDTH, Shaper
from hybrid_agent.decoder.vllm import VllmDecoder, head_weights, read_tokenizer
from hybrid_agent.decoder.vllm_engine import (
    Lora,
    Request,
    VllmOptions,
    Written,
    engine_arguments,
    entropy_of,
    parse_target,
    sampling_arguments,
    written_of,
)
from hybrid_agent.decoder.vllm_loras import LoraShelf
from hybrid_agent.errors import InputError
from hybrid_agent.nn.adapters import Adapter, read_adapter, write_adapter
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control, Segment, Window

MODEL = bundle_folder() / "decoder"
WINDOW = Window(goal="delete notes.txt", phase="step", steps=("delete notes.txt",), files=("notes.txt", "keep.md"))
REMOVE = '{"tool":"fs","args":{"op":"remove","path":"notes.txt"}}'
FINISH = '{"tool":"finish","args":{"status":"done","summary":"all is done"}}'


@dataclass
class Says:
    """Says the texts in order; remembers what it was asked."""

    texts: list[str]
    context: int = 512
    asked: list[tuple[list[int], list[Request], Lora | None]] = field(default_factory=list)

    def write(self, ids: Sequence[int], requests: Sequence[Request], lora: Lora | None) -> list[Written]:
        self.asked.append((list(ids), list(requests), lora))
        return [self._one() for request in requests for _ in range(request.n)]

    def _one(self) -> Written:
        text = self.texts.pop(0)
        ids = tuple(TOKENIZER.backend_tokenizer.encode(text.rstrip("~"), add_special_tokens=False).ids)
        cut = text.endswith("~")
        tokens = ids if cut else (*ids, int(TOKENIZER.eos_token_id))
        tops = ((math.log(0.5), math.log(0.5)),) + ((0.0,),) * (len(tokens) - 1)
        return Written(tokens, (math.log(0.5), *(0.0,) * (len(tokens) - 1)), tops, not cut)


TOKENIZER = read_tokenizer(MODEL)


def decoder(engine: Says, **more: object) -> VllmDecoder:
    return VllmDecoder(engine, TOKENIZER, call_schema(), **more)  # type: ignore[arg-type]


def test_the_name_is_read_before_anything_is_loaded(tmp_path: Path) -> None:
    spec = parse_decoder(f"vllm:{bundle_folder()}#quantization=fp8,tensor=2,memory=0.5,eager=true")
    assert spec == DecoderSpec("vllm", f"{bundle_folder()}#quantization=fp8,tensor=2,memory=0.5,eager=true")
    assert base_folder(spec) == bundle_folder()
    assert parse_target(spec.target, "") == (
        bundle_folder(),
        VllmOptions(quantization="fp8", tensor=2, memory=0.5, eager=True),
    )
    plain = parse_decoder(f"vllm:{bundle_folder()}#dtype=auto")
    assert plain.target == str(bundle_folder()) and decoder_hash(plain) != decoder_hash(spec)
    for said, what in (
        (f"vllm:{tmp_path}", "no model folder"),
        (f"vllm:{bundle_folder()}#tensr=2", "did you mean 'tensor'"),
        (f"vllm:{bundle_folder()}#tensor=0", "whole number"),
        (f"vllm:{bundle_folder()}#memory=2", "at most 1"),
        (f"vllm:{bundle_folder()}#quantization=int3", "must be one of awq"),
        (f"vllm:{bundle_folder()}#eager=1", "true or false"),
    ):
        with pytest.raises(InputError, match=what):
            parse_decoder(said)


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vllm is installed")
def test_without_vllm_the_extra_is_named() -> None:
    with pytest.raises(InputError, match=r"vllm is not installed.*hybrid-agent\[gpu\]"):
        make_decoder(parse_decoder(f"vllm:{bundle_folder()}"))


def test_arguments() -> None:
    plain = engine_arguments(Path("/m"), VllmOptions())
    assert plain["enable_prefix_caching"] and plain["structured_outputs_config"] == {"backend": "guidance"}
    assert not {"quantization", "max_model_len", "enable_lora"} & plain.keys()
    full = engine_arguments(Path("/m"), VllmOptions(quantization="awq", kv="fp8", tensor=4, context=4096, loras=2), 24)
    assert (full["quantization"], full["kv_cache_dtype"], full["tensor_parallel_size"]) == ("awq", "fp8", 4)
    assert (full["max_model_len"], full["max_lora_rank"], full["max_loras"]) == (4096, 32, 2)
    with pytest.raises(InputError, match="rank 600"):
        engine_arguments(Path("/m"), VllmOptions(), 600)
    bias = {token: float(token % 7 - 3) for token in range(2000)}
    said = sampling_arguments(Request(3, 64, 0.8, 5, None, bias, (1,)))
    assert (said["n"], said["max_tokens"], said["temperature"], said["seed"]) == (3, 64, 0.8, 5)
    assert len(said["logit_bias"]) == 1024 and {abs(v) for v in said["logit_bias"].values()} <= {2.0, 3.0}
    assert "logit_bias" not in sampling_arguments(Request(1, 8))


def test_answers_are_read() -> None:
    def at(**shares: float) -> dict[int, SimpleNamespace]:
        return {int(token[1:]): SimpleNamespace(logprob=math.log(p)) for token, p in shares.items()}

    output = SimpleNamespace(token_ids=[4, 9], logprobs=[at(t4=0.25, t7=0.75), at(t9=1.0)], finish_reason="length")
    got = written_of(output)
    assert got.tokens == (4, 9) and not got.stopped
    assert got.chosen == pytest.approx((math.log(0.25), 0.0))
    assert got.tops[0] == pytest.approx((math.log(0.75), math.log(0.25)))
    assert entropy_of((0.0,)) == 0.0
    assert entropy_of((math.log(0.5), math.log(0.5))) == pytest.approx(math.log(2))
    assert entropy_of((math.log(0.5),)) == pytest.approx(math.log(2))  # the rest counts as one


def test_greedy_first_then_samples_without_repeats() -> None:
    engine = Says([REMOVE, REMOVE, FINISH])
    found = decoder(engine).propose(WINDOW, Budget(k=3, temperature=0.7, seed=4), Control())
    assert [one.text for one in found] == [REMOVE, FINISH]
    ((ids, (greedy, rest), lora),) = engine.asked
    assert (greedy.n, greedy.temperature, rest.n, rest.temperature, rest.seed) == (1, 0.0, 2, 0.7, 4)
    assert lora is None and rest.stop == (int(TOKENIZER.eos_token_id),)
    assert len(ids) + greedy.max_tokens <= engine.context
    assert found[0].logprob == found[0].low == pytest.approx(math.log(0.5))
    assert found[0].entropy == pytest.approx(math.log(2)) and found[0].complete


def test_watching_ends_it_and_one_candidate_is_one_request() -> None:
    engine, seen = Says([REMOVE]), []

    def enough(segment: Segment) -> bool:
        seen.append(segment.text)
        return True

    found = decoder(engine).propose(WINDOW, Budget(k=3, temperature=0.7), Control(), enough)
    assert [one.text for one in found] == seen == [REMOVE] and len(engine.asked) == 1
    engine = Says([REMOVE])
    decoder(engine).propose(WINDOW, Budget(k=3, temperature=0.0), Control())
    assert [request.n for request in engine.asked[0][1]] == [1]
    engine = Says([REMOVE, FINISH])
    decoder(engine, greedy_first=False).propose(WINDOW, Budget(k=2, temperature=0.7), Control())
    assert [(request.n, request.temperature) for request in engine.asked[0][1]] == [(2, 0.7)]


def test_a_call_that_does_not_end_is_given_up() -> None:
    found = decoder(Says([REMOVE[:20] + "~"])).propose(WINDOW, Budget(max_tokens=20), Control())
    assert json.loads(found[0].text)["args"]["status"] == "unsure" and not found[0].complete
    free = decoder(Says(["rm it~"]), constrained=False)
    found = free.propose(WINDOW, Budget(max_tokens=20), Control())
    assert found[0].text == "rm it" and free.schema_for(WINDOW) is None


def test_the_schema_is_that_of_the_window() -> None:
    text = decoder(Says([])).schema_for(WINDOW)
    assert text is not None
    trie = token_trie(TOKENIZER, eos_token=int(TOKENIZER.eos_token_id))

    def writes(call: str) -> bool:
        # As vLLM's guidance backend compiles it, whose own default is flexible whitespace.
        made = LLMatcher.grammar_from_json_schema(text, defaults={"whitespace_flexible": True})
        matcher = LLMatcher(trie, made, log_level=0)
        ids = TOKENIZER.backend_tokenizer.encode(call, add_special_tokens=False).ids
        return bool(matcher.validate_tokens(ids) == len(ids) and matcher.consume_tokens(ids) and matcher.is_accepting())

    assert writes(REMOVE)
    assert not writes(REMOVE.replace("notes.txt", "other.txt"))  # nothing shows that name
    assert not writes(REMOVE.replace(":", ": "))


def test_masks_are_equal_step_by_step() -> None:
    schema = call_schema()
    own = grammar(schema, TOKENIZER, eos_token=int(TOKENIZER.eos_token_id))
    theirs = LLMatcher.grammar_from_json_schema(portable(prepare(schema)), defaults={"whitespace_flexible": True})
    rng = np.random.default_rng(0)
    for _ in range(3):
        ours, other = own.matcher(), LLMatcher(own.trie, theirs, log_level=0)
        for _ in range(40):
            mask = np.asarray(ours.mask()).view(np.uint8)
            assert mask.tobytes() == bytes(other.compute_bitmask())[: mask.nbytes]
            allowed = np.flatnonzero(np.unpackbits(mask, bitorder="little")[: own.vocab_size])
            token = int(rng.choice(allowed))
            if token == own.eos_token:
                break
            ours.advance([token])
            assert other.consume_token(token)


def test_shaping_is_a_bias_of_few_tokens(tmp_path: Path) -> None:
    head = head_weights(MODEL).float()  # tied to the embeddings
    steering = torch.randn(head.shape[1], WIDTH, generator=torch.Generator().manual_seed(0))
    whole, _ = load_checkpoint(MODEL)
    Shaper.for_model(whole, TOKENIZER, steering).save(tmp_path)
    shaper = Shaper.over(tmp_path, head, TOKENIZER)
    engine = Says([REMOVE])
    decoder(engine, shaper=shaper).propose(WINDOW, Budget(shaping=0.5), Control())
    wanted = Shaper.load(tmp_path, whole, TOKENIZER).bias(WINDOW) * 0.5
    asked = engine.asked[0][1][0].bias
    assert 0 < len(asked) <= 512
    np.testing.assert_allclose([asked.get(token, 0.0) for token in range(len(wanted))], wanted, atol=1e-5)
    engine = Says([REMOVE])
    decoder(engine, shaper=shaper).propose(WINDOW, Budget(), Control())
    assert not engine.asked[0][1][0].bias


def test_experts_are_adapters_and_mixtures_are_made_once(tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(1)

    def adapter() -> Adapter:
        name = "model.layers.0.self_attn.q_proj"
        return Adapter({name: (torch.randn(4, 6, generator=rng), torch.randn(6, 4, generator=rng))})

    for name in ("python", "shell"):
        write_adapter(adapter(), tmp_path / name, torch.float32)
    shelf = LoraShelf(tmp_path)
    assert shelf.rank == 8
    engine = Says([REMOVE, REMOVE])
    made = decoder(engine, experts=shelf)
    alone = Control(expert_prior={"python": 0.9, "shell": 0.1})
    both = Control(expert_prior={"python": 0.5, "shell": 0.5})
    found = [made.propose(WINDOW, Budget(expert_depth=2), control)[0].expert for control in (alone, both)]
    assert found == ["python", "python+shell@0.5"]
    first, second = (lora for _, _, lora in engine.asked)
    assert first is not None and second is not None
    assert first.folder == tmp_path / "python" and first.number != second.number
    mixed, parts = read_adapter(second.folder), [read_adapter(tmp_path / name) for name in ("python", "shell")]
    for module in mixed.factors:
        wanted = 0.5 * parts[0].change(module) + 0.5 * parts[1].change(module)
        torch.testing.assert_close(mixed.change(module), wanted, atol=2e-3, rtol=2e-2)  # stored in half precision
    assert shelf.lora("python+shell@0.5") is second and shelf.lora("base") is None
    made.close()
    assert not second.folder.exists()


def test_what_is_no_model_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tokenizer"):
        read_tokenizer(tmp_path)
    with pytest.raises(InputError, match="no LM head"):
        head_weights(tmp_path)
    with pytest.raises(InputError, match="no experts here"):
        LoraShelf(tmp_path)
