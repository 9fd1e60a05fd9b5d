"""The planner's stage and its ablation through their commands: learns, survives kill -9, names mistakes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hybrid_agent.planner.hrm import HrmPlanner
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.traces.contexts import Candidate, Context, write_contexts
from hybrid_agent.types import Exchange, Segment, Window
from tests.integration.offline_runs import watched

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200"}
SMALL = [
    "profile.ranks=1",
    "profile.threads=1",
    "stage.planner.width=32",
    "stage.planner.hidden=32",
    "stage.planner.words=256",
    "stage.optim.lr=0.01",
    "stage.optim.batch_tokens=256",
    "stage.length.log_every=1",
    "stage.length.eval_every=1000",
]
WORK = {
    "run": '{"tool":"shell","args":{"cmd":"ls"}}',
    "write": '{"tool":"fs","args":{"op":"write","path":"a.txt","text":"x"}}',
    "compute": '{"tool":"exec_code","args":{"lang":"python","code":"print(1)"}}',
}
PLAN = '{"tool":"plan","args":{"op":"set","steps":["a"]}}'
DONE = '{"tool":"plan","args":{"op":"done","check":{"kind":"exists","path":"a"}}}'
FINISH = '{"tool":"finish","args":{"status":"done","summary":"s"}}'


def candidates(right, greedy_fails, sample_passes):
    def one(text, label, stratum="sampled"):
        return Candidate(segment=Segment(text=text), label=label, stratum=stratum)

    if not greedy_fails:
        return (one(right, "pass"),)
    rest = one(right, "pass") if sample_passes else one(DONE, "policy_violation")
    return (one(FINISH, "plausible_fail"), rest, one(right, "pass", "gold"))


@pytest.fixture(scope="module")
def contexts(tmp_path_factory):
    """Words say which tool is right, whether the greedy call mostly fails, and whether samples help."""
    rng = random.Random(0)
    path = tmp_path_factory.mktemp("data") / "contexts.jsonl.gz"
    made = []
    for task in range(150):
        words = [
            (rng.choice(list(WORK)), rng.choice(["plain", "tricky", "hopeless"])) for _ in range(rng.choice([1, 2]))
        ]
        steps = tuple(f"{verb} the {kind} thing {rng.randrange(99)}" for verb, kind in words)
        goal = " and ".join(steps)
        turns = [(Window(goal=goal), PLAN, "plain")]
        for index, (verb, kind) in enumerate(words):
            at = Window(goal=goal, phase="step", steps=steps, index=index, files=("a.txt",) * index)
            turns.append((at, WORK[verb], kind))
            after = at.model_copy(update={"exchanges": (Exchange(call=WORK[verb], obs="ok"),)})
            turns.append((after, DONE, "plain"))
        turns.append((Window(goal=goal, phase="finish", steps=steps, index=len(steps)), FINISH, "plain"))
        for number, (at, right, kind) in enumerate(turns):
            fails = kind != "plain" and rng.random() < 0.85
            made.append(
                Context(
                    id=f"t{task}.{number}",
                    task_id=f"t{task}",
                    pack="os",
                    intents=(),
                    group=f"t{task}",
                    domain="editor",
                    window=at,
                    candidates=candidates(right, fails, kind == "tricky"),
                )
            )
    write_contexts(path, made)
    return path


def command(contexts, root, *more):
    stage = [f"stage.contexts={contexts}", "stage.length.max_steps=60", "stage.val_share=0.4"]
    return [sys.executable, "-m", "train.run", "stage=hrm", *stage, *SMALL, f"runs={root}", *more]


def train(contexts, root, *more):
    return subprocess.run(command(contexts, root, *more), env=ENV, capture_output=True, text=True, timeout=900)


def losses(folder):
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(e["step"], e["loss"]) for e in entries if "loss" in e]


@pytest.fixture(scope="module")
def whole(contexts, tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    done = train(contexts, root, "stage.decoder=bundle", "tracking=wandb")
    assert done.returncode == 0, done.stderr
    return root


def test_it_is_watched(whole):
    watched(find_run(whole, "hrm/tiny"), "hrm", "loss", "grad_norm", "tool_acc", "risk_ece", "expert_acc")


def test_it_learns_calibrates_and_says_what_it_made(whole):
    folder = find_run(whole, "hrm/tiny")
    manifest = read_manifest(folder)
    figures = manifest.metrics
    assert figures["tool_ce"] < 0.5 * figures["tool_ce_marginal"] and figures["tool_acc_step"] > 0.9
    assert figures["expert_acc"] > 0.9 and figures["risk_auc"] > 0.8
    assert figures["deliberate_ap"] > figures["deliberate_rate"] + 0.3
    assert figures["risk_ece"] < 0.3  # few tasks to calibrate on
    assert figures["infonce_acc"] > figures["infonce_chance"]
    plots = {f"{name}.{kind}" for name in ("training", "reliability") for kind in ("png", "svg")}
    assert {"planner/config.json", "planner/model.safetensors", "planner/calibration.json", *plots} <= set(
        manifest.files
    )
    bundle = Path("hybrid_agent/bundles/tiny/manifest.json")
    assert manifest.parents == {"decoder": file_hash(bundle)} and manifest.data_hash


def test_the_result_serves(whole):
    planner = HrmPlanner.load(find_run(whole, "hrm/tiny") / "planner")

    def at_step(kind):
        planner.step(Window(goal=kind))
        return planner.step(Window(goal=kind, phase="step", steps=(f"compute the {kind} thing 5",)))

    plain, tricky = at_step("plain"), at_step("tricky")
    assert max(plain.tool_prior, key=plain.tool_prior.get) == "exec_code"
    assert max(plain.expert_prior, key=plain.expert_prior.get) == "python"
    assert tricky.risk > plain.risk + 0.3
    assert tricky.deliberate and not plain.deliberate
    assert set(planner.tool_marginal) == set(plain.tool_prior)
    assert sum(planner.tool_marginal.values()) == pytest.approx(1, abs=1e-4)


def test_killed_and_started_again_it_ends_with_the_same_losses(whole, contexts, tmp_path):
    more = ["stage.length.save_every=5", "stage.decoder=bundle"]
    process = subprocess.Popen(command(contexts, tmp_path, *more), env=ENV, stderr=subprocess.DEVNULL)
    folder = tmp_path / "hrm" / "tiny" / "001"
    wait_for(lambda: len(list(folder.glob("ckpt-*.pt"))) >= 2, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "manifest.json").exists()
    done = train(contexts, tmp_path, *more)
    assert done.returncode == 0, done.stderr
    assert "resuming at step" in done.stderr
    other = find_run(whole, "hrm/tiny")
    assert find_run(tmp_path, "hrm/tiny") == folder and losses(folder) == losses(other)
    for name in ("model.safetensors", "calibration.json"):
        assert (folder / "planner" / name).read_bytes() == (other / "planner" / name).read_bytes()


def test_mistakes_are_named(contexts, tmp_path):
    for more, said in (
        (["stage.contexts=null"], "give at least one of contexts, episodes, gold"),
        (["stage.decoder=sft/none"], "no complete run 'sft/none'"),
    ):
        done = train(contexts, tmp_path, *more)
        assert done.returncode == 2 and said in done.stderr, done.stderr


def test_the_ablation_prints_its_table(contexts, tmp_path):
    own = ["seeds=0", "variants=full,shuffled_g,flat", f"stage.contexts={contexts}", "stage.length.max_steps=30"]
    arguments = [sys.executable, "-m", "train.hrm_ablate", *own, *SMALL, f"runs={tmp_path}"]
    done = subprocess.run(arguments, env=ENV, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    rows = {row["variant"]: row for row in json.loads((tmp_path / "ablate" / "hrm-tiny.json").read_text())["variants"]}
    assert set(rows) == {"full", "shuffled_g", "flat"} and all(name in done.stdout for name in rows)
    assert "infonce_acc" in rows["full"] and "infonce_acc" not in rows["flat"]
    difference, low, high = rows["shuffled_g"]["tool_ce_minus_full"]
    assert low <= difference <= high
    wrong = subprocess.run([*arguments, "variants=fool"], env=ENV, capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 2 and "no such variant: fool" in wrong.stderr


def wait_for(ready, process, seconds=120):
    for _ in range(seconds * 20):
        if ready():
            return
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    raise AssertionError("it never got there")
