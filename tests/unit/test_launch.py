"""Starting ranks: the commands of launchers, and processes that end together."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from hybrid_agent.config.deepspeed import LaunchConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.config.optim import OptimConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from train.launch import launcher
from train.optim import micro_steps
from train.run import main

# Rank 0 and rank 1 say who they are and wait for what does not come.
BODY = """
import os, sys, time
sys.path.insert(0, {root!r})
from train.launch import local_ranks
from hybrid_agent.errors import HybridAgentError
try:
    with local_ranks(2, ["x"], module="waiter"):
        print("rank", os.environ["RANK"], os.environ["LOCAL_RANK"], os.environ["WORLD_SIZE"], os.getpid(), flush=True)
        time.sleep(float(os.environ.get("FIRST", "600")) if os.environ["RANK"] == "0" else 600)
        raise RuntimeError("connection closed by peer")
except HybridAgentError as error:
    sys.exit(f"error: {{error}}")
"""


@pytest.fixture
def waiter(tmp_path):
    (tmp_path / "waiter.py").write_text(BODY.format(root=str(Path.cwd())))

    def run(**more):
        env = {**os.environ, "PYTHONPATH": str(tmp_path), **more}
        process = subprocess.Popen(
            [sys.executable, "-m", "waiter"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        said = [process.stdout.readline().split() for _ in range(2)]
        assert sorted(words[:4] for words in said) == [["rank", "0", "0", "2"], ["rank", "1", "1", "2"]]
        return process, {int(words[1]): int(words[4]) for words in said}

    return run


def gone(pid):
    for _ in range(1200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("first", ["3", "600"])  # rank 0 notices by itself, or is stuck
def test_a_killed_rank_ends_the_run_with_a_word_about_it(waiter, first):
    process, pids = waiter(FIRST=first)
    os.kill(pids[1], signal.SIGKILL)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert said.count("rank 1 was killed by SIGKILL; the same command goes on from the last complete checkpoint") == 1


def test_ranks_die_with_the_one_that_started_them(waiter):
    process, pids = waiter()
    process.kill()
    process.wait()
    assert gone(pids[1])


def command(*arguments, **launch):
    made = launcher(LaunchConfig(**launch), 4, list(arguments))
    assert made is None or made[0] == sys.executable
    return made and made[2:]


def test_commands_of_launchers(monkeypatch):
    assert command("stage=ebm") is None
    one = command("stage=ebm", kind="torchrun")
    assert one[:4] == ["torch.distributed.run", "--standalone", "--nproc-per-node", "4"]
    assert one[-3:] == ["-m", "train.run", "stage=ebm"]
    many = command(kind="torchrun", nodes=3, rendezvous="node1:29500")
    assert " ".join(many).startswith(
        "torch.distributed.run --nnodes 3 --rdzv-backend c10d --rdzv-endpoint node1:29500 --nproc-per-node 4"
    )
    alone = command("model.lora={r:16,alpha:32}", kind="deepspeed")
    assert " ".join(alone) == (
        "deepspeed.launcher.runner --quiet --num_gpus 4 --no_local_rank --module train.run model.lora={r:16,alpha:32}"
    )
    # Words go through a shell on each node; those with a blank are quoted by DeepSpeed.
    hosts = command("model.lora={r:16,alpha:32}", "model.lora={r: 16}", kind="deepspeed", nodes=2, hostfile="hosts")
    assert " ".join(hosts) == (
        "deepspeed.launcher.runner --quiet --num_gpus 4 --hostfile hosts --num_nodes 2 --no_local_rank "
        "--module train.run 'model.lora={r:16,alpha:32}' model.lora={r: 16}"
    )
    with pytest.raises(InputError, match=r"profile\.launch\.rendezvous"):
        command(kind="torchrun", nodes=2)
    monkeypatch.setenv("WORLD_SIZE", "4")  # somebody has started us
    assert command("stage=ebm", kind="torchrun") is None


@pytest.mark.parametrize(
    "launch", [{"kind": "deepspeed", "nodes": 2}, {"nodes": 2}, {"kind": "torchrun", "rendezvous": "node1"}]
)
def test_launches_that_cannot_be(launch):
    with pytest.raises(ValueError):
        LaunchConfig(**launch)


def test_a_step_holds_the_token_budget_on_any_number_of_ranks():
    optim = OptimConfig(batch_tokens=100, global_tokens=800)
    assert [micro_steps(optim, world) for world in (1, 2, 4, 8, 16)] == [8, 4, 2, 1, 1]
    assert micro_steps(OptimConfig(batch_tokens=100), 4) == 1
    assert micro_steps(OptimConfig(batch_tokens=100, global_tokens=801), 1) == 9


@pytest.mark.parametrize(("stage", "profile"), [("sft", "node4"), ("sft_lora", "node4"), ("ebm", "cluster")])
def test_large_profiles_and_their_token_budget(stage, profile):
    config = load_config("train", [f"stage={stage}", f"profile={profile}"], TrainConfig)
    assert config.profile.name == profile and config.profile.deepspeed and config.profile.checkpointing
    assert (config.profile.device, config.profile.precision, config.profile.ranks) == ("cuda", "bf16", 4)
    optim, world = config.stage.optim, config.profile.ranks * config.profile.launch.nodes
    assert optim.kind == "adamw"  # muon needs whole matrices
    assert micro_steps(optim, world) * world * optim.batch_tokens >= 2_000_000


def test_ranks_without_a_gpu_are_refused_before_anything_starts(capsys):
    have = torch.cuda.device_count()
    assert main(["stage=ebm", "profile=node4", f"profile.ranks={have + 1}"]) == 2
    assert f"profile.ranks: node4 needs {have + 1} GPUs a node; torch sees {have}" in capsys.readouterr().err
