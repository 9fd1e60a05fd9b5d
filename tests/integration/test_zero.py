"""Training under ZeRO-3 on CPU ranks, through the stages' command: the losses of one plain process, whatever dies and
however many ranks go on.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from hybrid_agent.runs.layout import find_run
from tests.hf_models import save_folder
from tests.integration import test_backbones, test_ebm, test_hrm_stage, test_sft
from train.checkpoint import checkpoints
from train.run import main

pytest.importorskip("deepspeed")

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200", "HF_HUB_OFFLINE": "1"}
PLAIN = ["profile=tiny", "profile.ranks=1", "profile.threads=1", "profile.precision=fp32"]
# The profile of four A100s, but for the processor; every weight is spread, however small.
ZERO = [
    "profile=node4",
    "profile.device=cpu",
    "profile.precision=fp32",
    "profile.threads=2",
    "profile.launch.kind=local",
    "profile.deepspeed.persist_below=0",
]
LAYERWISE = "profile.deepspeed.whole_below=0"
# Losses differ by rounding only: sums are made in another order. Measured: 1e-6 after 4 steps, 1e-4 after 30.
TOLERANCE = 1e-3


def length(steps, save=1000):
    fixed = {"max_minutes": "null", "max_steps": steps, "log_every": 1, "eval_every": 1000, "save_every": save}
    return [f"stage.length.{key}={value}" for key, value in fixed.items()]


def plainly(root, *arguments):
    """One process, plain torch, in this one."""
    assert main([*arguments, *PLAIN, f"runs={root}"]) == 0


def start(root, ranks, *arguments):
    command = [sys.executable, "-m", "train.run", *arguments, *ZERO, f"profile.ranks={ranks}", f"runs={root}"]
    return subprocess.Popen(command, env=ENV, stderr=subprocess.PIPE, text=True)


def finish(process, code=0):
    _, said = process.communicate(timeout=400)
    assert process.returncode == code, said
    return said


def until_saved(process, folder, step):
    for _ in range(8000):
        if (found := checkpoints(folder)) and int(found[-1].name.removeprefix("ckpt-")) >= step:
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("no checkpoint was written")


def others(process):
    """The other ranks."""
    listed = subprocess.run(["pgrep", "-P", str(process.pid), "-f", "train.run"], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]


def entries(root, stage):
    lines = (find_run(root, f"{stage}/tiny") / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def same_losses(one, other, stage, steps):
    ours, theirs = ([e for e in entries(root, stage) if "loss" in e] for root in (one, other))
    assert [e["step"] for e in theirs] == [e["step"] for e in ours] == list(range(1, steps + 1))
    assert [e["tokens"] for e in theirs] == [e["tokens"] for e in ours]
    for key in ("loss", "grad_norm"):
        assert [e[key] for e in theirs] == pytest.approx([e[key] for e in ours], abs=TOLERANCE, rel=TOLERANCE)
    assert ours[-1]["loss"] < ours[0]["loss"]


def same_weights(one, other, stage, file):
    ours, theirs = (load_file(find_run(root, f"{stage}/tiny") / file) for root in (one, other))
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert theirs[name].dtype == weight.dtype
        assert theirs[name].float().numpy() == pytest.approx(weight.float().numpy(), abs=5e-3), name


@pytest.fixture(scope="module")
def sequences(tmp_path_factory):
    return test_sft.data.__wrapped__(tmp_path_factory)


def test_sft_loses_nothing_with_a_killed_rank_and_goes_on_with_one(sequences, tmp_path):
    stage = ["stage=sft", f"stage.data={sequences}", "stage.corpus=null", "stage.val_share=0.05"]
    small = [word for word in test_sft.TINY if not word.startswith("profile")]
    # Four batches a step: two of each of two ranks, or four of one.
    optim = ["stage.optim.kind=adamw", "stage.optim.batch_tokens=256", "stage.optim.global_tokens=1024"]
    words = [*stage, *small, *optim, "stage.optim.weight_decay=0.05", *length(24, save=2)]
    folder = tmp_path / "zero" / "sft" / "tiny" / "001"

    run = start(tmp_path / "zero", 2, *words, LAYERWISE)
    until_saved(run, folder, 4)
    (second,) = others(run)
    os.kill(second, signal.SIGKILL)
    said = finish(run, 1)
    assert "rank 1 was killed by SIGKILL; the same command goes on from the last complete checkpoint" in said
    last = checkpoints(folder)[-1]
    assert 2 <= len(checkpoints(folder)) <= 2 and sorted(f.name for f in last.iterdir()) == [
        "complete.json",
        "rank-00000.safetensors",
        "rank-00001.safetensors",
        "state.pt",
    ]
    # What a rank that died while saving leaves is not a checkpoint.
    (folder / "ckpt-23").mkdir()
    (folder / "ckpt-23" / "rank-00000.safetensors").write_bytes(b"half")

    said = finish(start(tmp_path / "zero", 1, *words, LAYERWISE))
    assert f"resuming at step {last.name.removeprefix('ckpt-')} " in said
    plainly(tmp_path / "plain", *words)
    same_losses(tmp_path / "plain", tmp_path / "zero", "sft", 24)
    same_weights(tmp_path / "plain", tmp_path / "zero", "sft", "decoder/model.safetensors")


def test_ebm_with_averaged_weights_and_their_teacher(tmp_path_factory, tmp_path):
    data, trunk = test_ebm.data.__wrapped__(tmp_path_factory), test_ebm.trunk.__wrapped__(tmp_path_factory)
    stage = ["stage=ebm", f"stage.contexts={data}/other.jsonl", f"stage.trunk=hf:{trunk}", "stage.hidden=16"]
    # Chance differs between ranks and one process, so none is left.
    still = ["stage.dropout=0", "stage.feature_dropout=0", "stage.optim.ema=0.9", "stage.kl=1.0"]
    optim = ["stage.optim.lr=0.002", "stage.optim.batch_tokens=1024", "stage.optim.global_tokens=2048"]
    words = [*stage, *still, *optim, *length(6)]
    finish(start(tmp_path / "zero", 2, *words, LAYERWISE))
    plainly(tmp_path / "plain", *words)
    same_losses(tmp_path / "plain", tmp_path / "zero", "ebm", 6)
    same_weights(tmp_path / "plain", tmp_path / "zero", "ebm", "scorer/model.safetensors")
    ours, theirs = (entries(tmp_path / kind, "ebm") for kind in ("plain", "zero"))
    assert [e["kl"] for e in theirs if "kl" in e] == pytest.approx([e["kl"] for e in ours if "kl" in e], abs=1e-5)
    ends = [[e["val_loss"] for e in kind if "val_loss" in e][-1] for kind in (ours, theirs)]
    assert ends[1] == pytest.approx(ends[0], abs=TOLERANCE)


def test_hrm_is_interrupted_on_one_rank_and_goes_on_with_two(tmp_path_factory, tmp_path):
    contexts = test_hrm_stage.contexts.__wrapped__(tmp_path_factory)
    small = [word for word in test_hrm_stage.SMALL if not word.startswith(("profile", "stage.length"))]
    stage = ["stage=hrm", f"stage.contexts={contexts}", "stage.val_share=0.4", "stage.planner.dropout=0"]
    # Of what the large profile changes in this stage.
    stage += ["stage.planner.blocks=2", "stage.optim.lr=0.002", "stage.optim.matrix_lr=0.02"]
    words = [*stage, *small, "stage.optim.batch_tokens=128", "stage.optim.global_tokens=256", *length(60, save=4)]
    run = start(tmp_path / "zero", 1, *words)
    until_saved(run, tmp_path / "zero" / "hrm" / "tiny" / "001", 4)
    run.send_signal(signal.SIGINT)
    assert "it is saved. Go on with:" in finish(run, 130)
    assert "resuming at step" in finish(start(tmp_path / "zero", 2, *words))
    plainly(tmp_path / "plain", *words)
    same_losses(tmp_path / "plain", tmp_path / "zero", "hrm", 60)
    same_weights(tmp_path / "plain", tmp_path / "zero", "hrm", "planner/model.safetensors")


def test_adapters_on_a_base_of_which_each_rank_loads_its_share(tmp_path_factory, tmp_path):
    data, base = test_backbones.data.__wrapped__(tmp_path_factory), save_folder(tmp_path / "base")
    words = ["stage=sft_lora", "model=hf", f"model.path={base}", "model.context=2600", "model.lora.dropout=0"]
    words += [f"stage.data={data}", "stage.corpus=null", "stage.val_share=0.05", "stage.optim.lr=0.01"]
    words += ["stage.optim.batch_tokens=3600", "stage.optim.global_tokens=7200", *length(4)]
    finish(start(tmp_path / "zero", 2, *words, LAYERWISE, "profile.deepspeed.init_sharded=true"))
    plainly(tmp_path / "plain", *words)
    same_losses(tmp_path / "plain", tmp_path / "zero", "sft", 4)
    same_weights(tmp_path / "plain", tmp_path / "zero", "sft", "decoder/adapter_model.safetensors")
