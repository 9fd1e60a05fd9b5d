"""The SFT stage through its command: learns, survives kill -9, stops on Ctrl-C, names mistakes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from hybrid_agent.decoder.bundle import export_bundle
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.packs import words
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.tools.registry import call_schema, parse_call
from hybrid_agent.traces.window_text import as_json, render_turns
from hybrid_agent.types import Budget, Control, Window
from tests.integration.offline_runs import watched

TINY = [
    "model.d_model=48",
    "model.heads=4",
    "model.layers=2",
    "model.d_mlp=96",
    "model.vocab_size=512",
    "profile.ranks=1",
    "profile.threads=1",
    "stage.optim.lr=0.01",
]
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200"}


def window(name):
    return Window(goal="g", phase="step", steps=(f"show {name}",), files=("x",))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Calls with nothing to copy, so that a few seconds are enough to learn them."""
    rng = random.Random(0)
    path = tmp_path_factory.mktemp("data") / "sequences.jsonl"
    with path.open("w") as out:
        for _ in range(600):
            tool, said = rng.choice([("list", "the files"), ("stat", "the size")])
            call = f'{{"tool":"fs","args":{{"op":"{tool}","path":"x"}}}}'
            for pieces in render_turns([(window(f"{said} {rng.choice(words.TRAIN)}"), call)]):
                out.write(json.dumps({**as_json(pieces), "kind": tool}) + "\n")
    return path


def command(data, root, *more):
    stage = [f"stage.data={data}", "stage.corpus=null", "stage.optim.batch_tokens=1024", "stage.val_share=0.1"]
    length = ["stage.length.max_minutes=null", "stage.length.log_every=1", "stage.length.eval_every=1000"]
    return [sys.executable, "-m", "train.run", "stage=sft", *stage, *length, *TINY, f"runs={root}", *more]


def train(data, root, *more):
    return subprocess.run(command(data, root, *more), env=ENV, capture_output=True, text=True, timeout=900)


def losses(folder):
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(e["step"], e["loss"]) for e in entries if "loss" in e]


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    done = train(data, root, "stage.length.max_steps=100", "tracking=wandb")
    assert done.returncode == 0, done.stderr
    return root


def test_it_is_watched(whole):
    watched(find_run(whole, "sft/tiny"), "sft", "loss", "grad_norm", "tokens_s", "val_loss", "exact")


def test_it_learns_and_says_what_it_made(whole, data):
    folder = find_run(whole, "sft/tiny")
    manifest = read_manifest(folder)
    assert manifest.metrics["exact"] > 0.9
    assert losses(folder)[-1][1] < losses(folder)[0][1] / 10
    assert manifest.command.startswith("python -m train.run stage=sft") and manifest.data_hash and manifest.seed == 0
    assert {"loss.png", "loss.svg", "decoder/model.safetensors", "decoder/tokenizer.json"} <= set(manifest.files)
    assert (folder / "loss.png").read_bytes()[:4] == b"\x89PNG"


def test_the_result_decodes_and_ships(whole, tmp_path):
    export_bundle(find_run(whole, "sft/tiny"), tmp_path / "bundle")
    assert AutoModelForCausalLM.from_pretrained(str(tmp_path / "bundle" / "decoder")).config.num_hidden_layers == 2
    decoder = HfDecoder.from_folder(tmp_path / "bundle", call_schema())
    for said, op in (("the files garden", "list"), ("the size garden", "stat")):
        (segment,) = decoder.propose(window(said), Budget(), Control())
        assert parse_call(segment.text).args == {"op": op, "path": "x"}


def test_two_ranks_share_a_run(whole, data, tmp_path):
    done = train(data, tmp_path, "profile.ranks=2", "stage.length.max_steps=100")
    assert done.returncode == 0, done.stderr
    manifest = read_manifest(find_run(tmp_path, "sft/tiny"))
    alone = read_manifest(find_run(whole, "sft/tiny"))
    assert manifest.metrics["exact"] > 0.9
    per_step = alone.metrics["tokens"] / alone.metrics["steps"]
    assert manifest.metrics["tokens"] / manifest.metrics["steps"] > 1.7 * per_step


def test_killed_and_started_again_it_ends_with_the_same_losses(whole, data, tmp_path):
    arguments = ["stage.length.max_steps=100", "stage.length.save_every=10"]
    process = subprocess.Popen(command(data, tmp_path, *arguments), env=ENV, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(list(tmp_path.glob("sft/tiny/001/ckpt-*.pt"))) >= 2, process)
    process.kill()
    process.wait()
    folder = tmp_path / "sft" / "tiny" / "001"
    assert not (folder / "manifest.json").exists()
    done = train(data, tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert "resuming at step" in done.stderr
    assert find_run(tmp_path, "sft/tiny") == folder
    assert losses(folder) == losses(find_run(whole, "sft/tiny"))


def test_ctrl_c_saves_and_says_how_to_go_on(data, tmp_path):
    arguments = ["stage.length.max_steps=100000"]
    process = subprocess.Popen(command(data, tmp_path, *arguments), env=ENV, stderr=subprocess.PIPE, text=True)
    metrics = tmp_path / "sft" / "tiny" / "001" / "metrics.jsonl"
    wait_for(lambda: metrics.is_file(), process)
    time.sleep(0.5)  # into the steps themselves
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said and "Go on with:" in said and "python -m train.run stage=sft" in said
    assert list(metrics.parent.glob("ckpt-*.pt"))
    other = train(data, tmp_path, "stage.length.max_steps=7")
    assert other.returncode == 2
    assert "left unfinished with another config" in other.stderr and "fresh=true" in other.stderr
    with data.open("a") as more:
        more.write(
            json.dumps({"segments": [{"text": "a<|call|>", "train": False}, {"text": "b", "train": True}]}) + "\n"
        )
    try:
        other = train(data, tmp_path, *arguments)
    finally:
        data.write_text("".join(line + "\n" for line in data.read_text().splitlines()[:-1]))
    assert other.returncode == 2
    assert "has changed since it began" in other.stderr and "fresh=true" in other.stderr


def test_it_goes_on_from_another_run(whole, data, tmp_path):
    parent = find_run(whole, "sft/tiny")
    done = train(data, tmp_path, "stage.length.max_steps=2", f"stage.init={parent}")
    assert done.returncode == 0, done.stderr
    assert "inherits tokenizer and weights" in done.stderr
    child = find_run(tmp_path, "sft/tiny")
    assert losses(child)[0][1] < 0.5
    manifests = read_manifest(parent), read_manifest(child)
    assert manifests[0].tokenizer_hash == manifests[1].tokenizer_hash and "init" in manifests[1].parents


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("stage.optim.learning_rate=1", "stage.optim.learning_rate"),
        ("stage.optim.lr=-1", "stage.optim.lr"),
        ("stage=sgt", "did you mean 'sft'"),
        ("model.heads=7", "d_model / heads"),
        ("stage.length.max_minutes=null", "max_steps or max_minutes"),
        ("stage.init=sft/none", "no complete run 'sft/none'"),
    ],
)
def test_mistakes_are_answered_with_exit_code_2(data, tmp_path, argument, says):
    base = [f"stage.data={data}", "stage.corpus=null", f"runs={tmp_path}", argument]
    done = subprocess.run(
        [sys.executable, "-m", "train.run", "stage=sft", *base], env=ENV, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert says in done.stderr and "Traceback" not in done.stderr


def wait_for(condition, process):
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the training ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_draft_model_takes_the_tokenizer_of_its_decoder(whole, data, tmp_path):
    parent = find_run(whole, "sft/tiny")
    sizes = ["model.d_model=16", "model.heads=2", "model.layers=1", "name=draft"]
    done = train(data, tmp_path, "stage.length.max_steps=2", f"stage.tokenizer={parent}", *sizes)
    assert done.returncode == 0, done.stderr
    draft = find_run(tmp_path, "sft/draft")
    manifests = [read_manifest(folder) for folder in (parent, draft)]
    assert manifests[0].tokenizer_hash == manifests[1].tokenizer_hash and "tokenizer" in manifests[1].parents
    options = DecoderOptions(threads=1, sure=0.0)
    decoder = HfDecoder.from_folder(parent, call_schema(), options, parts={"draft": draft})
    plain = HfDecoder.from_folder(parent, call_schema())
    budget = Budget(max_tokens=60, speculate=True)
    for name in ("plum", "pear"):
        assert [s.text for s in decoder.propose(window(name), budget, Control())] == [
            s.text for s in plain.propose(window(name), budget, Control())
        ]
    assert decoder.speculator.stats.proposed["model"] > 0
