"""The energy model's stage through its command: learns, calibrates, serves, survives kill -9, names mistakes."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hybrid_agent.nn.tokenizer import save_tokenizer, train_tokenizer
from hybrid_agent.packs import words
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.scorer.energy import EnergyScorer
from hybrid_agent.traces.contexts import write_contexts
from hybrid_agent.types import Window
from tests.integration.offline_runs import watched
from tests.labelled import labelled

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200"}
STEPS = "stage.length.max_steps=30"


def call(cmd, rng):
    """Shell, editor or code, so that each head has something to learn."""
    path = f"{cmd}_1.txt"
    return rng.choice(
        [
            {"tool": "shell", "args": {"cmd": f"cat {path}"}},
            {"tool": "fs", "args": {"op": "read", "path": path}},
            {"tool": "fs", "args": {"op": "write", "path": f"{cmd}_1.py", "text": "x = 1\n"}},
        ]
    )


def context(i, rng):
    """The right call works on the named file, the wrong ones on others."""
    right, *others = rng.sample(words.TRAIN, 4)
    files = tuple(f"{w}_1.{end}" for w in (right, *others) for end in ("txt", "py"))
    window = Window(goal="g", phase="step", steps=(f"show {right}_1.txt or {right}_1.py",), files=files)
    calls = [call(right, rng), *(call(other, rng) for other in others)]
    return labelled(i, rng, window, calls)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("data"), random.Random(0)
    write_contexts(folder / "train.jsonl.gz", (context(i, rng) for i in range(700)))
    write_contexts(folder / "other.jsonl", (context(i, rng) for i in range(9000, 9150)))
    return folder


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    """A small untrained decoder as a Hugging Face folder."""
    from hybrid_agent.config.model import ModelConfig
    from hybrid_agent.nn.build import build_model

    folder, rng = tmp_path_factory.mktemp("trunk"), random.Random(1)
    made = train_tokenizer((" ".join(rng.choices(words.TRAIN, k=8)) for _ in range(300)), 600)
    save_tokenizer(made, folder)
    shape = ModelConfig(d_model=48, layers=2, heads=4, d_mlp=96, context=256)
    build_model(shape, vocab_size=len(made), pad_id=0, end_id=1).save_pretrained(str(folder))
    return folder


def command(data, trunk, root, *more):
    stage = [f"stage.contexts={data}/train.jsonl.gz", f"stage.trunk={trunk}", "stage.optim.batch_tokens=3072"]
    length = ["stage.length.max_minutes=null", "stage.length.log_every=1", "stage.length.eval_every=1000"]
    machine = ["profile.ranks=1", "profile.threads=1", "stage.hidden=16", "stage.optim.lr=0.005"]
    return [sys.executable, "-m", "train.run", "stage=ebm", *stage, *length, *machine, f"runs={root}", *more]


def train(data, trunk, root, *more):
    return subprocess.run(command(data, trunk, root, *more), env=ENV, capture_output=True, text=True, timeout=900)


def losses(folder):
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(e["step"], e["loss"]) for e in entries if "loss" in e]


@pytest.fixture(scope="module")
def whole(data, trunk, tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    done = train(data, f"hf:{trunk}", root, STEPS, "tracking=wandb")
    assert done.returncode == 0, done.stderr
    assert "validation part" in done.stderr and "over-veto" in done.stderr
    return root


def test_it_is_watched(whole):
    watched(
        find_run(whole, "ebm/tiny"), "ebm", "loss", "grad_norm", "tokens_s", "ece_raw/shell", "ece/shell", "auc/code"
    )


def test_it_learns_calibrates_and_says_what_it_made(whole):
    folder = find_run(whole, "ebm/tiny")
    manifest = read_manifest(folder)
    found = json.loads((folder / "report.json").read_text())
    for head in ("code", "shell", "editor"):
        assert found["heads"][head]["auc"] > 0.9
        assert found["heads"][head]["over_veto"] <= 0.02
    assert found["heads"]["all"]["ece"] < 0.1
    assert set(found["heads"]["all"]["methods_own"]) == {"full", "model", "features", "logprob"}
    assert set(found["heads"]["all"]["strata"]) == {"sampled", "near_miss", "sampled only"}
    assert found["choice"]["pass_rate"]["full"] > found["choice"]["pass_rate"]["random"]
    files = {"report.json", "baseline.json", "loss.png", "reliability-shell.png", "reliability-all.svg"}
    scorer = {f"scorer/{f}" for f in ("config.json", "model.safetensors", "tokenizer.json", "calibration.json")}
    assert files | scorer <= set(manifest.files)
    assert manifest.data_hash and manifest.tokenizer_hash and "auc/shell" in manifest.metrics
    assert str(whole.parent) not in (folder / "scorer" / "config.json").read_text()


def test_the_result_serves_and_prefers_the_right_call(whole):
    scorer, rng = EnergyScorer.load(find_run(whole, "ebm/tiny") / "scorer"), random.Random(7)
    hits = 0
    for i in range(40):
        made = context(i, rng)
        scores = scorer.score(made.window, [c.segment for c in made.candidates])
        hits += min(range(4), key=lambda k: scores[k].energy) == 0
    assert hits > 30


def test_the_report_command_judges_other_contexts(whole, data, tmp_path):
    arguments = [f"runs={whole}", "run=ebm/tiny", f"contexts={data}/other.jsonl", f"out={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-m", "train.ebm_report", *arguments], env=ENV, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "ebm/tiny on other.jsonl" in done.stdout
    assert json.loads((tmp_path / "report.json").read_text())["heads"]["all"]["count"] == 600
    assert (tmp_path / "reliability-code.svg").is_file()


def test_killed_and_started_again_it_ends_with_the_same_losses(whole, data, trunk, tmp_path):
    arguments = [STEPS, "stage.length.save_every=5"]
    process = subprocess.Popen(command(data, f"hf:{trunk}", tmp_path, *arguments), env=ENV, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 240
    while len(list(tmp_path.glob("ebm/tiny/001/ckpt-*.pt"))) < 2 and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    process.kill()
    process.wait()
    folder = tmp_path / "ebm" / "tiny" / "001"
    assert not (folder / "manifest.json").exists()
    done = train(data, f"hf:{trunk}", tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert "resuming at step" in done.stderr
    assert losses(folder) == losses(find_run(whole, "ebm/tiny"))


def test_features_alone_train_too(data, tmp_path):
    done = train(data, "none", tmp_path, "stage.length.max_steps=10", "name=features")
    assert done.returncode == 0, done.stderr
    folder = find_run(tmp_path, "ebm/features")
    assert not (folder / "scorer" / "tokenizer.json").exists()
    made = context(1, random.Random(3))
    assert len(EnergyScorer.load(folder / "scorer").score(made.window, [c.segment for c in made.candidates])) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stage.contexts=null"], "stage.contexts"),
        (["stage.contexts=nowhere.jsonl"], "no such contexts file"),
        (["stage.trunk=bert"], "must be decoder, none or hf:PATH"),
        (["stage.trunk=decoder", "stage.decoder=sft/nothing"], "no complete run"),
        (["stage.trunk=hf:nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_named(data, tmp_path, capsys, arguments, said):
    from train.run import main

    assert main([*command(data, "none", tmp_path, "stage.length.max_steps=5")[3:], *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_report_command_names_mistakes():
    from train.ebm_report import main

    assert main(["contexts=nowhere.jsonl", "run=ebm/nothing"]) == 2
    assert main(["what=1"]) == 2
    assert main([]) == 2
