"""A pretrained model in the sft stage through its command: adapters, resumption, export, decoding."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from hybrid_agent.assemble.decoders import make_decoder, parse_decoder
from hybrid_agent.decoder.bundle import export_bundle
from hybrid_agent.decoder.checkpoint import load_checkpoint
from hybrid_agent.errors import InputError
from hybrid_agent.packs import words
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.tools.registry import parse_call
from hybrid_agent.types import Budget, Control, Window
from tests.hf_models import save_folder
from train.aoe_adapters import load_base
from train.run import main

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200", "HF_HUB_OFFLINE": "1"}
STEPS = "stage.length.max_steps=6"


def window(said):
    return Window(goal="g", phase="step", steps=(f"show {said}",), files=("x",))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save_folder(tmp_path_factory.mktemp("base"), "qwen3")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng, path = random.Random(0), tmp_path_factory.mktemp("data") / "turns.jsonl"
    with path.open("w") as out:
        for _ in range(40):
            op, said = rng.choice([("list", "the files"), ("stat", "the size")])
            shown = window(f"{said} {rng.choice(words.TRAIN)}").model_dump(mode="json")
            call = f'{{"tool":"fs","args":{{"op":"{op}","path":"x"}}}}'
            out.write(json.dumps({"turns": [{"window": shown, "call": call}], "kind": op}) + "\n")
    return path


def command(data, base, root, *more):
    stage = [f"stage.data={data}", "stage.corpus=null", "stage.optim.batch_tokens=1800", "stage.optim.lr=0.01"]
    length = ["stage.val_share=0.05", "stage.length.eval_every=1000", "stage.length.save_every=2"]
    model = ["model=hf", f"model.path={base}", "model.context=2600", "profile.ranks=1", "profile.threads=1"]
    return [sys.executable, "-m", "train.run", "stage=sft_lora", *model, *stage, *length, f"runs={root}", *more]


def train(data, base, root, *more):
    """In this process: loading torch again for each case is most of the time."""
    return main(command(data, base, root, *more)[3:])


def losses(folder):
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(e["step"], e["loss"]) for e in entries if "loss" in e]


@pytest.fixture(scope="module")
def whole(data, base, tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    assert train(data, base, root, STEPS) == 0
    return find_run(root, "sft/tiny")


def test_experts_over_it_are_refused(whole):
    with pytest.raises(InputError, match="experts of pretrained decoders are not built"):
        load_base(whole.parents[2], "sft/tiny")


def test_an_adapter_is_trained_and_its_base_named(whole, base):
    manifest = read_manifest(whole)
    said = json.loads((whole / "decoder" / "adapter_config.json").read_text())
    assert losses(whole)[-1][1] < losses(whole)[0][1]
    assert said["base_model_name_or_path"] == str(base) and said["r"] == 16
    assert manifest.parents["base"] and manifest.tokenizer_hash
    assert "decoder/adapter_model.safetensors" in manifest.files
    weights = load_file(whole / "decoder" / "adapter_model.safetensors")
    # Seven linear layers in each of two decoder layers; the head is not adapted.
    assert len(weights) == 2 * 2 * 7 and all("lora_" in name for name in weights)
    # Checkpoints hold what is trained, not the base again.
    assert max(path.stat().st_size for path in whole.glob("ckpt-*.pt")) < 4 * sum(
        tensor.nbytes for tensor in weights.values()
    )


def test_killed_and_started_again_it_ends_with_the_same_losses(whole, data, base, tmp_path, capfd):
    process = subprocess.Popen(command(data, base, tmp_path, STEPS), env=ENV, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("sft/tiny/001/ckpt-*.pt")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    folder = tmp_path / "sft" / "tiny" / "001"
    assert not (folder / "manifest.json").exists()
    assert train(data, base, tmp_path, STEPS) == 0
    assert "resuming at step" in capfd.readouterr().err
    assert losses(folder) == losses(whole)


def test_the_result_is_a_decoder_and_so_is_its_export(whole, base, tmp_path):
    import torch

    export_bundle(whole, tmp_path / "bundle")
    budget, found = Budget(max_tokens=60, k=2, temperature=1.0), []
    for folder in (whole, tmp_path / "bundle"):
        decoder = make_decoder(parse_decoder(f"hf:{folder}"))
        segments = decoder.propose(window("the files garden"), budget, Control())
        for segment in segments:
            parse_call(segment.text)
        found.append(decoder.model)
    adapted, exported = found
    plain, _ = load_checkpoint(base)
    name = "model.layers.0.self_attn.q_proj.weight"
    weights = [dict(model.named_parameters())[name] for model in (plain, adapted, exported)]
    assert not torch.equal(weights[0], weights[1])
    assert torch.allclose(weights[1], weights[2], atol=1e-3)  # rounded to half precision
    # An export needs no base and keeps the template.
    assert not (tmp_path / "bundle" / "decoder" / "adapter_config.json").exists()
    assert decoder.tokenizer.chat_template


def test_merged_and_full_runs_hold_whole_models_and_can_be_gone_on_from(data, base, tmp_path):
    assert (
        train(data, base, tmp_path, "stage.length.max_steps=1", "model.save=merged", "model.lora.targets=[q_proj]") == 0
    )
    merged = find_run(tmp_path, "sft/tiny")
    assert (merged / "decoder" / "model.safetensors").is_file()
    assert train(data, merged, tmp_path, "stage.length.max_steps=1", "model.lora=null", "name=full") == 0
    full = find_run(tmp_path, "sft/full")
    assert load_file(full / "decoder" / "model.safetensors").keys() == (
        load_file(merged / "decoder" / "model.safetensors").keys()
    )
    assert read_manifest(full).parents["base"] != read_manifest(merged).parents["base"]
    parse_call(make_decoder(parse_decoder(f"hf:{full}")).propose(window("x"), Budget(), Control())[0].text)


def test_it_goes_on_from_the_adapter_of_another_run(whole, data, base, tmp_path):
    assert train(data, base, tmp_path, "stage.length.max_steps=1", f"stage.init={whole}") == 0
    child = find_run(tmp_path, "sft/tiny")
    assert losses(child)[0][1] < losses(whole)[1][1]
    assert set(read_manifest(child).parents) == {"init", "base"}


def test_an_adapter_whose_base_is_gone_says_so(whole, base, tmp_path):
    from hybrid_agent.errors import InputError

    shutil.copytree(whole / "decoder", tmp_path / "adapter")
    said = tmp_path / "adapter" / "adapter_config.json"
    said.write_text(said.read_text().replace(str(base), str(tmp_path / "gone")))
    with pytest.raises(InputError, match=r"base .*gone is not loadable"):
        load_checkpoint(tmp_path / "adapter")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["model.quantize=nf4"], "4-bit weights need a GPU"),
        (["model.quantize=nf4", "model.lora=null"], "quantize needs lora"),
        (["model.path=/no/such"], "no such folder"),
        (["model.lora.targets=[w_pack]"], "model.lora.targets"),
        (["+model.architecture={model_type: llama}"], "the config says llama"),
        (["stage.optim.kind=muon"], "stage=sft_lora"),
        (["model.rank=3"], "model.rank"),
    ],
)
def test_mistakes_are_answered_with_exit_code_2(data, base, tmp_path, arguments, says, capfd):
    assert train(data, base, tmp_path, STEPS, *arguments) == 2
    assert says in capfd.readouterr().err
