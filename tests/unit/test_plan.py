"""Every model config is built on the meta device; the plan's memory is checked against sums by hand and by torch."""

import json

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from hybrid_agent.config.deepspeed import ZeroConfig
from hybrid_agent.config.load import config_root, load_config
from hybrid_agent.config.model import HfModelConfig, LoraSettings
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from tests.hf_models import FAMILIES
from train.plan import check, main
from train.plan_count import adapted, count, hf_config, on_meta
from train.plan_memory import GIB, Setup, activations, serving_memory, training_memory
from train.plan_report import plan_stage
from train.plan_stages import architecture_of, work_of

MODELS = sorted(path.stem for path in (config_root() / "model").glob("*.yaml") if path.stem != "hf")
PROFILES = sorted(path.stem for path in (config_root() / "profile").glob("*.yaml"))


def config_of(*overrides):
    return load_config("train", list(overrides), TrainConfig)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("model", MODELS)
def test_every_model_dry_runs_with_every_profile(model, profile):
    pretrained = model not in ("tiny", "draft")
    config = config_of(f"model={model}", f"profile={profile}", f"stage={'sft_lora' if pretrained else 'sft'}")
    work = work_of(config)
    # The published count, or work_of would have refused it (tests below).
    if pretrained:
        assert work.counts.layers == architecture_of(config.model).num_hidden_layers
        assert 0 < work.counts.trained < work.counts.parameters / 50
    else:
        assert work.counts.layers == config.model.layers and work.counts.trained == work.counts.parameters
    assert training_memory(work.counts, work.setup).total > 0
    if profile == "node4":
        check(config)  # 7-8 B with adapters fit into 40 GiB


SCALED = [tuple(path.stem.rsplit("-", 1)) for path in sorted((config_root() / "scale").glob("*.yaml"))]
STAGES = [(path.stem, "tiny") for path in sorted((config_root() / "stage").glob("*.yaml"))]


@pytest.mark.parametrize(("stage", "profile"), [*SCALED, *STAGES])
def test_every_stage_dry_runs(stage, profile):
    """Those of adapters with the smallest pretrained model; gate has no model."""
    more = ["model=qwen25_coder_1_5b"] if stage == "sft_lora" else []
    row = plan_stage(stage, config_of(f"stage={stage}", f"profile={profile}", *more))
    assert row["fits"]
    if stage != "gate":
        assert row["memory_gib"]["total"] > 0 and 0 < row["trained"] <= row["parameters"]
        assert row["limit_gib"] == (None if profile == "tiny" else 40)


def test_reinforcement_learning_needs_the_whole_decoder_on_a_rank():
    with pytest.raises(InputError, match=r"1,\d+,\d+ parameters, whole_below=1,000,000"):
        check(config_of("stage=rl", "profile=node4", "profile.deepspeed.whole_below=1000000"))


def test_what_cannot_fit_is_refused_with_numbers_and_a_way():
    with pytest.raises(InputError) as caught:
        check(config_of("profile=node4", "stage=sft", "model=qwen25_coder_7b", "model.lora=null"))
    said = str(caught.value)
    assert "needs 51.0 GiB a rank (weights 3.5, gradients 7.1, optimizer 21.3" in said and "node4 has 40" in said
    assert "profile.deepspeed.offload_optimizer=cpu (" in said and "model.lora={r: 16} (" in said
    fixed = ("profile=node4", "stage=sft", "model=qwen25_coder_7b", "model.lora=null")
    check(config_of(*fixed, "profile.deepspeed.offload_optimizer=cpu"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("model.parameters=7000000000", "7,615,616,512 parameters by its config, 7,000,000,000 as published"),
        ("+model.architecture.hidden_sizes=3", "did you mean 'hidden_size'"),
        ("model.architecture.model_type=qwen17", "transformers knows no 'qwen17'"),
    ],
)
def test_a_wrong_architecture_is_named(change, says):
    with pytest.raises(InputError, match=says):
        work_of(config_of("profile=node4", "stage=sft_lora", "model=qwen25_coder_7b", change))


def test_zero_memory_is_the_sum_by_hand():
    counts = count(on_meta(AutoConfig.for_model("qwen3", **FAMILIES["qwen3"], vocab_size=9000), torch.bfloat16))
    setup = Setup(4, ZeroConfig(whole_below=0, max_live_parameters=10**12), 512, 256, True, logits=512)
    found, n = training_memory(counts, setup), counts.parameters
    assert found.weights * GIB == pytest.approx(2 * n / 4)
    assert found.gradients * GIB == pytest.approx(4 * n / 4)
    assert found.optimizer * GIB == pytest.approx(12 * n / 4)
    assert found.logits * GIB == pytest.approx(16 * 512 * 9000)
    plain = training_memory(counts, Setup(1, None, 512, 256, True))
    assert plain.optimizer * GIB == pytest.approx(8 * n) and plain.gathered == 0
    offloaded = training_memory(counts, Setup(4, ZeroConfig(offload_optimizer="cpu"), 512, 256, True))
    assert offloaded.optimizer == 0 and offloaded.host * GIB == pytest.approx(12 * n / 4)
    four = training_memory(counts, Setup(4, None, 512, 256, True, nf4=True))
    assert four.weights * GIB == pytest.approx(0.516 * counts.linear + 2 * (n - counts.linear))


def test_counted_activations_are_what_torch_keeps():
    """A real small model on the CPU, its kept bytes summed over the graph, against the count on the meta device."""
    shape = {**FAMILIES["llama"], "vocab_size": 300, "tie_word_embeddings": False}
    real = AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **shape), attn_implementation="counted")
    weights = {p.untyped_storage().data_ptr() for p in real.parameters()}
    kept, tokens = {}, 64

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    ids = torch.zeros(1, tokens, dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        real.model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    true = sum(t.untyped_storage().nbytes() for at, t in kept.items() if at not in weights)
    counts = count(on_meta(AutoConfig.for_model("llama", **shape), torch.float32), tokens)
    counted = tokens * (counts.layers * counts.layer_bytes + counts.other_bytes)
    assert counted == pytest.approx(true, rel=0.05)


def test_checkpointing_keeps_inputs_of_layers_and_one_layer():
    counts = count(on_meta(hf_config({"model_type": "llama", **FAMILIES["llama"], "vocab_size": 300}), torch.bfloat16))
    kept = [activations(counts, Setup(1, None, 100, 100, again)) for again in (False, True)]
    saved = 100 * ((counts.layers - 1) * counts.layer_bytes - counts.layers * counts.width_bytes)
    assert kept[0] - kept[1] == pytest.approx(saved)
    assert counts.width_bytes == 2 * FAMILIES["llama"]["hidden_size"]


def test_adapters_train_little_and_cost_activations():
    shape = hf_config({"model_type": "qwen3", **FAMILIES["qwen3"], "vocab_size": 300})
    whole = count(on_meta(shape, torch.bfloat16))
    low = count(adapted(on_meta(shape, torch.bfloat16), LoraSettings(r=4)))
    # q, k, v, o, gate, up, down of 64 -> 64, 32, 32, 64, 128, 128 and 128 -> 64, in two layers.
    factors = 2 * 4 * ((64 + 64) + 2 * (64 + 32) + (64 + 64) + 3 * (64 + 128))
    assert low.trained == factors and low.parameters == whole.parameters + factors
    assert low.linear == whole.linear or low.layer_bytes > whole.layer_bytes


def test_serving_counts_weights_and_cache():
    counts = count(on_meta(hf_config({"model_type": "llama", **FAMILIES["llama"], "vocab_size": 300}), torch.bfloat16))
    found = serving_memory(counts, 1000, bits=16, sequences=8, context=100, limit=40)
    assert found.weights * GIB == pytest.approx(2 * counts.parameters)
    assert found.cache * GIB == pytest.approx(8 * 100 * 1000)
    assert found.fit == int((40 - 2 - found.weights) * GIB / (100 * 1000))


def test_the_command_prints_json_and_says_what_is_stated(capsys):
    what = ["--profile", "node4", "--model", "seed_coder_8b", "--stage", "sft_lora", "--json"]
    assert main(what) == 1  # 32 sequences of 8,192 tokens at 128 KiB a token are 32 GiB beside the weights
    assert "seed" in capsys.readouterr().out.lower()
    assert main([*what, "--sequences", "16"]) == 0
    said = json.loads(capsys.readouterr().out)
    (row,) = said["stages"]
    assert (
        row["fits"] and row["throughput"].startswith("stated") and row["tokens"] == row["steps"] * row["tokens_a_step"]
    )
    assert row["tokens_a_step"] >= 2_000_000 and row["hours"] > 0
    assert {each["weights"] for each in said["serving"]} == {"bf16", "fp8", "awq"}
    assert main(["--profile", "node5"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_measured_rate_is_preferred(tmp_path, capsys):
    from hybrid_agent.runs.manifest import Manifest, write_manifest

    config = config_of(f"runs={tmp_path}")
    folder = tmp_path / "sft" / "tiny" / "001"
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text(
        "".join(json.dumps({"step": n, "tokens_s": rate}) + "\n" for n, rate in enumerate((1000, 5000, 9000)))
    )
    about = {"stage": "sft", "name": "tiny", "attempt": 1, "command": "c", "config": config.model_dump(mode="json")}
    empty = {"git_sha": None, "git_dirty": False, "seed": 0, "parents": {}, "data_hash": None, "tokenizer_hash": None}
    write_manifest(folder, Manifest(**about, **empty, metrics={}, versions={}), [])
    assert main(["--profile", "tiny", "--stage", "sft", "--json", f"runs={tmp_path}"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["stages"]
    assert (row["tokens_s"], row["throughput"], row["hours"]) == (5000, "measured", 2.0)


def test_the_schema_of_pretrained_models_names_mistakes():
    with pytest.raises(ValueError, match="quantize needs lora"):
        HfModelConfig(kind="hf", path="a/b", lora=None, quantize="nf4")
    with pytest.raises(ValueError, match="model_type is missing"):
        HfModelConfig(kind="hf", path="a/b", architecture={"hidden_size": 3})
