"""The stage in the sandbox: what tries are worth, whole runs, and a run that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.load import load_config
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.row import Draft
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.protocols import Sandbox
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Task
from tests.integration.offline_runs import watched
from train.gold import replay_sandbox
from train.rl.episodes import episode_group
from train.rl.policy import Policy
from train.rl.segments import segment_groups
from train.stages.rl import find_parents

ROOT = Path(__file__).parents[2]
TASK = {
    "id": "os-train-1",
    "pack": "os",
    "family": "lines",
    "template": "t",
    "intents": ["sort_lines"],
    "split": "train",
    "goal": "sort a.txt into b.txt",
    "setup": [{"path": "a.txt", "text": "pear\napple\n"}, {"path": "c.txt", "text": "keep me\n"}],
    "checks": [{"kind": "equals", "path": "b.txt", "text": "apple\npear\n"}],
    "gold": [
        {"tool": "plan", "args": {"op": "set", "steps": ["sort a.txt into b.txt"]}},
        {"tool": "shell", "args": {"cmd": "sort a.txt > b.txt"}},
        {"tool": "plan", "args": {"op": "done", "check": {"kind": "exists", "path": "b.txt"}}},
        {"tool": "finish", "args": {"status": "done", "summary": "all checks passed"}},
    ],
}
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
SMALL = (
    "profile.ranks=1",
    "profile.threads=1",
    "stage.phases=2",
    "stage.tasks=2",
    "stage.shard=1",
    "stage.group=6",
    "stage.temperature=1.8",
    "stage.updates=2",
    "stage.save_every=1",
    "stage.workers=1",
    "stage.turns.plan=0",
    "stage.levels=[{name: all, packs: {os: 1.0}, families: [sorting, copying, counting]}]",
)


class Fixed(Policy):
    """Draws given texts in turn, at every window."""

    def __init__(self, policy: Policy, texts: list[str]) -> None:
        super().__init__(policy.decoder, policy.temperature, policy.max_tokens)
        self.texts = texts

    def draw(self, window, k, seed):  # type: ignore[no-untyped-def]
        return [self._as_draft(self.texts[i % len(self.texts)]) for i in range(k)]

    def greedy(self, window):  # type: ignore[no-untyped-def]
        return self._as_draft(self.texts[0])

    def _as_draft(self, text: str) -> Draft:
        ids = self.decoder.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        return Draft(tokens=list(ids), complete=True)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with replay_sandbox() as box:
        yield box


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(HfDecoder.from_folder(bundle_folder(), call_schema(), parts={}), 1.8, 200)


def stage(*overrides: str):  # type: ignore[no-untyped-def]
    return load_config("train", ["stage=rl", *SMALL, *overrides], TrainConfig).stage


def shell(command: str) -> str:
    return json.dumps({"tool": "shell", "args": {"cmd": command}}, separators=(",", ":"))


def test_a_try_that_leaves_other_files_behind_is_no_pass(sandbox: Sandbox, policy: Policy) -> None:
    texts = [
        shell("sort a.txt > b.txt"),
        shell("sort < a.txt > b.txt"),
        shell("sort a.txt > b.txt; touch spare"),
        shell("sort a.txt > b.txt; echo x >> c.txt"),
        shell("sort -r a.txt > b.txt"),
        shell("sudo sort a.txt"),
    ]
    task = Task.model_validate(TASK)
    some = stage("stage.turns={plan: 0, act: 1, done: 0, finish: 0, ask: 0}", "stage.group=12")
    [group] = segment_groups(task, sandbox, Fixed(policy, texts), None, some, level=0, seed=0)
    found = [(r.label, r.own, r.held_out, r.passed, r.count) for r in group.rollouts]
    assert found == [
        ("pass", True, True, True, 2),
        ("pass", True, True, True, 2),
        ("pass", True, False, False, 2),
        ("pass", True, False, False, 2),
        ("plausible_fail", False, None, False, 2),
        ("policy_violation", False, None, False, 2),
    ]
    assert "spare" in group.rollouts[2].detail and group.pass_rate == pytest.approx(1 / 3)
    assert group.greedy is True and group.informative(0.1, 0.9)


def test_episodes_are_judged_by_what_the_policy_cannot_see(sandbox: Sandbox, policy: Policy) -> None:
    class Scripted(Fixed):
        """The gold calls, but another sort in every second episode; the plan's own check holds in both."""

        turn, tries = 0, 0

        def draw(self, window, k, seed):  # type: ignore[no-untyped-def]
            calls = [json.dumps(call, separators=(",", ":")) for call in TASK["gold"]]  # type: ignore[attr-defined]
            if self.tries % 2:
                calls[1] = shell("sort -r a.txt > b.txt")
            text = calls[self.turn]
            self.turn += 1
            if self.turn == len(calls):
                self.turn, self.tries = 0, self.tries + 1
            return [self._as_draft(text)]

    task = Task.model_validate(TASK)
    ask = json.dumps({"tool": "finish", "args": {"status": "failed", "summary": "x"}}, separators=(",", ":"))
    group = episode_group(task, sandbox, Scripted(policy, [ask]), None, stage("stage.group=2"), level=0, seed=0)
    good, gamed = group.rollouts
    assert (good.label, good.own, good.held_out, good.passed) == ("pass", True, True, True)
    assert (gamed.label, gamed.own, gamed.held_out, gamed.passed) == ("plausible_fail", True, False, False)
    assert len(good.pieces) == len(gamed.pieces) == 4 and len(group.windows) == 8
    assert group.greedy is False and group.unit == "episode"
    assert group.windows[gamed.pieces[2].window].exchanges[0].call == shell("sort -r a.txt > b.txt")


def test_an_episode_of_the_policy_itself(sandbox: Sandbox, policy: Policy) -> None:
    task = make_task(load_pack("os"), "train", 4_000_041)
    group = episode_group(task, sandbox, policy, None, stage("stage.group=2"), level=0, seed=0)
    assert group.greedy is not None
    for rollout in group.rollouts:
        assert rollout.pieces and rollout.cost > 0
        assert all(piece.logprob < 0 or piece.tokens for piece in rollout.pieces)
        assert group.windows[rollout.pieces[0].window].goal == task.goal


def command(root: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "train.run", "stage=rl", *SMALL, f"runs={root}", *more]


def train(root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(root, *more), env=ENV, cwd=ROOT, capture_output=True, text=True, timeout=900)


def logged(folder: Path) -> list[dict[str, float]]:
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in e.items() if k not in ("seconds", "tokens_s")} for e in entries]


def test_a_run_that_is_killed_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", "tracking=wandb")
    assert whole.returncode == 0, whole.stderr
    folder = find_run(tmp_path / "whole", "rl/tiny")
    watched(folder, "rl", "loss", "grad_norm", "reward", "pass_rate", "kl", "ratio")
    manifest = read_manifest(folder)
    assert {"rl.png", "rl.svg", "lexicon.json", "decoder/model.safetensors"} <= set(manifest.files)
    parent, scorer, parents = find_parents(stage(), tmp_path)
    assert manifest.parents == parents and scorer is None and parent == bundle_folder().absolute()
    assert len(logged(folder)) == 4
    HfDecoder.from_folder(folder, call_schema())  # what `decoder=hf:RUN` does
    report = json.loads((folder / "phases" / "001" / "report.json").read_text())
    assert report["mismatch"] < 1e-3 and report["tries"] > 0

    # Killed twice: in the first rollouts, where there is no checkpoint yet, and in those of the second phase.
    killed = tmp_path / "killed" / "rl" / "tiny" / "001"
    for shard in ("000/shards/00000.jsonl.gz", "001/shards/00000.jsonl.gz"):
        process = subprocess.Popen(command(tmp_path / "killed"), env=ENV, cwd=ROOT, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 600
        while not (killed / "phases" / shard).is_file():
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = (killed / "phases" / shard).stat().st_mtime_ns
    done = train(tmp_path / "killed")
    assert done.returncode == 0, done.stderr
    assert (killed / "phases" / shard).stat().st_mtime_ns == kept  # what is there is not made again
    assert logged(killed) == logged(folder)
    name = "decoder/model.safetensors"
    assert read_manifest(killed).files[name] == manifest.files[name]


def test_parents_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    said = train(tmp_path, "stage.decoder=sft/none")
    assert said.returncode == 2 and "no complete run 'sft/none'" in said.stderr
    said = train(tmp_path, "stage.updates=3", "stage.epochs=2")
    assert said.returncode == 2 and "not a multiple" in said.stderr
