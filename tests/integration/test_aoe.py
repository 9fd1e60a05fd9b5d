"""The aoe stage through its command: five adapters, a child, distillation, a report; resumes after kill -9."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from hybrid_agent.decoder.experts import ExpertLibrary
from hybrid_agent.packs import words
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.traces.window_text import as_json, render_turns
from hybrid_agent.types import Window
from tests.integration.offline_runs import watched
from train.aoe_adapters import BUNDLE
from train.run import main

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200"}
NAMES = ("generalist", "python", "shell", "editor", "config")
SMALL = [
    "profile.ranks=1",
    "profile.threads=1",
    "stage.val=null",
    "stage.held_share=0.3",
    "stage.eval_rows=24",
    "stage.rank=2",
    "stage.alpha=4",
    "stage.length.max_steps=4",
    "stage.length.log_every=1",
    "stage.length.save_every=1",
    "stage.child.steps=3",
    "stage.child.rows=4",
    "stage.child.values=[0,1]",
    "stage.distil.steps=3",
    "stage.distil.calls=3",
    "stage.distil.max_tokens=10",
    "stage.optim.batch_tokens=512",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Calls of all experts."""
    rng = random.Random(0)
    path = tmp_path_factory.mktemp("data") / "sequences.jsonl"
    with path.open("w") as out:
        for _ in range(60):
            name = rng.choice(words.TRAIN)
            calls = (
                {"tool": "shell", "args": {"cmd": f"ls {name}"}},
                {"tool": "exec_code", "args": {"lang": "python", "code": f"print('{name}')"}},
                {"tool": "fs", "args": {"op": "remove", "path": name}},
                {"tool": "fs", "args": {"op": "write", "path": f"{name}.json", "text": "{}"}},
                {"tool": "plan", "args": {"op": "done", "check": {"kind": "absent", "path": name}}},
            )
            for call in calls:
                window = Window(goal="g", phase="step", steps=(f"deal with {name}",))
                (pieces,) = render_turns([(window, json.dumps(call, separators=(",", ":")))])
                out.write(json.dumps(as_json(pieces)) + "\n")
    return path


def command(data, root, *more):
    return [sys.executable, "-m", "train.run", "stage=aoe", f"stage.data={data}", *SMALL, f"runs={root}", *more]


def train(data, root, *more):
    return subprocess.run(command(data, root, *more), env=ENV, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    done = train(data, root, "tracking=wandb")
    assert done.returncode == 0, done.stderr
    return find_run(root, "aoe/tiny")


def test_it_is_watched(whole):
    figures = ("python/loss", "distilled/loss", "systems/base", "routing/shell")
    watched(whole, "aoe", *figures, table="systems")


def test_it_leaves_experts_that_plain_peft_and_the_library_load(whole):
    base = LlamaForCausalLM.from_pretrained(str(BUNDLE / "decoder"), dtype=torch.float32)
    library = ExpertLibrary.load(whole / "experts", base)
    assert set(NAMES) <= set(library.names)
    ids = torch.tensor([[4, 50, 300, 7, 90]])
    ours = library.rows("shell").forward([0], [ids[0].tolist()], [0])[0]
    theirs = PeftModel.from_pretrained(base, str(whole / "experts" / "shell")).eval()
    with torch.no_grad():
        torch.testing.assert_close(ours.clone(), theirs(input_ids=ids).logits[0, -1], atol=1e-3, rtol=0)
    assert sum(f.stat().st_size for f in (whole / "experts").rglob("*") if f.is_file()) < 3_000_000


def test_it_reports_every_system_and_every_decision(whole):
    report = json.loads((whole / "report.json").read_text())
    systems = {"base", *NAMES, "multitask", "editor-config", "distilled", "oracle-routed", "random-routed"}
    assert set(report["figures"]) == systems
    assert set(report["figures"]["base"]) == {"all", *NAMES}
    assert all(0 <= slices["all"]["exact"] <= 1 for slices in report["figures"].values())
    child = report["parts"]["editor-config"]
    beats = [child[f"against_{parent}"] for parent in ("editor", "config")]
    assert child["promoted"] == all(b["wins"] > b["losses"] and b["p"] < 0.05 for b in beats)
    assert (whole / "experts" / "editor-config" / "child.json").is_file() == child["promoted"]
    assert len(report["searches"]["editor-config-search"]["trials"]) == child["trials"] >= 2
    kept = report["parts"]["distilled"]["promoted"]
    served, source = (
        (whole / p / "adapter_model.safetensors").read_bytes()
        for p in ("experts/generalist", "adapters/" + ("distilled" if kept else "generalist"))
    )
    assert served == source
    manifest = read_manifest(whole)
    assert manifest.metrics["promoted"] == {"editor-config": child["promoted"], "distilled": kept}
    assert set(manifest.parents) == {"decoder"} and manifest.data_hash
    assert {"report.json", "experts.png", "experts/python/adapter_config.json"} <= set(manifest.files)


def losses(folder):
    out = {}
    for path in sorted(folder.glob("work/*/metrics.jsonl")):
        entries = [json.loads(line) for line in path.read_text().splitlines()]
        out[path.parent.name] = [(e["step"], e["loss"]) for e in entries if "loss" in e]
    return out


def test_killed_twice_it_ends_with_the_same_losses_and_weights(whole, data, tmp_path):
    folder = tmp_path / "aoe" / "tiny" / "001"
    for reached in ("work/shell/ckpt-2.pt", "work/distilled/ckpt-1.pt"):
        process = subprocess.Popen(command(data, tmp_path), env=ENV, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 200
        while not (folder / reached).exists():
            assert process.poll() is None, "the training ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.kill()
        process.wait()
        assert not (folder / "manifest.json").exists()
    other = train(data, tmp_path, "stage.rank=3")
    assert other.returncode == 2 and "left unfinished with another config" in other.stderr
    done = train(data, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "editor: done before" in done.stderr and find_run(tmp_path, "aoe/tiny") == folder
    assert losses(folder) == losses(whole) and set(losses(whole)) == {*NAMES, "multitask", "editor-config", "distilled"}
    for path in sorted((whole / "adapters").glob("*/adapter_model.safetensors")):
        assert (folder / path.relative_to(whole)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("stage.decoder=sft/none", "no complete run 'sft/none'"),
        ("stage.child.parents=[editor,editor]", "parents must be two"),
        ("stage.experts=[python,shell]", "the child's parents must be among the experts"),
        ("stage.experts=[generalist,python,ruby]", "'ruby' is not allowed here"),
        ("stage.length.max_steps=null", "max_steps"),
        ("stage.data=null", "names no corpus"),
    ],
)
def test_mistakes_are_answered_with_exit_code_2(data, tmp_path, capsys, argument, says):
    assert main([*command(data, tmp_path)[3:], argument]) == 2
    assert says in capsys.readouterr().err


def test_an_expert_without_a_call_in_the_data_is_named(data, tmp_path, capsys):
    lines = [line for line in data.read_text().splitlines() if "exec_code" not in line]
    (tmp_path / "some.jsonl").write_text("\n".join(lines))
    wanted = ["stage.experts=[python]", "stage.child=null", "stage.distil=null", "stage.multitask=false"]
    assert main([*command(tmp_path / "some.jsonl", tmp_path)[3:], *wanted]) == 2
    assert "no call in the data is for python" in capsys.readouterr().err
