"""The sft stage on a streamed, packed mixture: learns, survives kill -9, and leaves out held-out tasks."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hybrid_agent.packs.store import load_tasks
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest
from tests.unit.stream_files import lines, sequences

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd()), "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
MODEL = ["model.d_model=32", "model.heads=2", "model.layers=1", "model.d_mlp=64", "model.vocab_size=400"]
PROFILE = ["model.context=128", "profile.ranks=1", "profile.threads=1"]


@pytest.fixture(scope="module")
def mixture(tmp_path_factory):
    datasets = pytest.importorskip("datasets")
    folder = tmp_path_factory.mktemp("mixture")
    sequences(folder / "own.jsonl.gz", 60)
    datasets.Dataset.from_list(
        [{"question": f"say {i % 7}", "answer": f"{i % 7} it is"} for i in range(80)]
    ).to_parquet(str(folder / "hub.parquet"))
    goal = next(task.goal for task in load_tasks("os", "test_names"))
    rows = [{"text": f"a note {i} on nothing at all"} for i in range(20)] + [{"text": f"see: {goal}"}]
    lines(folder / "notes.jsonl", rows)
    columns = "columns:{prompt:question,completion:answer}"
    return (
        f"[{{path:{folder}/own.jsonl.gz,kind:own}},"
        f"{{path:{folder}/hub.parquet,format:completion,{columns},weight:2,kind:hub}},"
        f"{{path:{folder}/notes.jsonl,format:text,kind:notes}}]"
    )


def command(mixture, root, *more):
    data = ["stage.data=null", "stage.corpus=null", f"stage.mixture={mixture}", "stage.stream.block=64"]
    length = ["stage.length.max_minutes=null", "stage.length.max_steps=60", "stage.length.log_every=1"]
    rest = ["stage.optim.batch_tokens=512", "stage.optim.lr=0.01", "stage.val_share=0.1", f"runs={root}"]
    screen = ["stage.stream.decontaminate={against:[os]}"]
    return [sys.executable, "-m", "train.run", "stage=sft", *data, *length, *rest, *screen, *MODEL, *PROFILE, *more]


def train(mixture, root, *more):
    return subprocess.run(command(mixture, root, *more), env=ENV, capture_output=True, text=True, timeout=1200)


def losses(folder):
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(e["step"], e["loss"]) for e in entries if "loss" in e]


def test_it_trains_and_goes_on_exactly_after_a_kill(mixture, tmp_path):
    done = train(mixture, tmp_path / "whole")
    assert done.returncode == 0, done.stderr
    assert "mixture of own 25%, hub 50%, notes 25%; packed" in done.stderr.replace("\n", " ")
    whole = find_run(tmp_path / "whole", "sft/tiny")
    assert losses(whole)[-1][1] < losses(whole)[0][1] / 2
    metrics = read_manifest(whole).metrics
    assert metrics["data/hub/epochs"] >= 1 and metrics["data/notes/dropped"] >= 1 and metrics["data/own/dropped"] == 0
    assert {"exact", "val_loss"} <= set(metrics)
    process = subprocess.Popen(
        command(mixture, tmp_path / "killed", "stage.length.save_every=9"), env=ENV, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 1200
    while not len(list((tmp_path / "killed").glob("sft/tiny/001/ckpt-*"))) >= 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    done = train(mixture, tmp_path / "killed", "stage.length.save_every=9")
    assert done.returncode == 0 and "resuming at step" in done.stderr, done.stderr
    killed = find_run(tmp_path / "killed", "sft/tiny")
    assert losses(killed) == losses(whole)
    assert read_manifest(killed).metrics["data/hub/read"] == metrics["data/hub/read"]


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("stage.data=x.jsonl", "exactly one of data, corpus and mixture"),
        ("stage.mixture=[{path:none.jsonl}]", "no such data file"),
        ("stage.mixture=[{path:a.jsonl,wait:2}]", "did you mean 'weight'"),
        ("stage.mixture=[{path:a.jsonl,weight:0}]", "greater than 0"),
    ],
)
def test_mistakes_are_answered_with_exit_code_2(mixture, tmp_path, override, says):
    done = train(mixture, tmp_path, override)
    assert done.returncode == 2
    assert says in done.stderr and "Traceback" not in done.stderr
