"""Ranks started by torchrun and by DeepSpeed's launcher, also over two nodes (both are this machine)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_agent.runs.layout import find_run
from tests.integration import test_sft

# Stand-ins for the network: every host is this machine, and nothing of the caller's environment gets there.
SSH = """#!/bin/bash
while [[ $1 == -* ]]; do [[ $1 == -o ]] && shift; shift; done
shift
exec bash -c "$*"
"""
PDSH = """#!/bin/bash
set -o pipefail
while [[ $1 == -* ]]; do case $1 in -w) hosts=$2; shift;; -f) shift;; esac; shift; done
number=0; started=()
for host in ${hosts//,/ }; do
  words=("${@//%n/$number}")
  env -i HOME="$HOME" PATH="$PATH" bash -c "${words[*]}" 2>&1 | sed "s/^/$host: /" >&2 &
  started+=($!); number=$((number + 1))
done
code=0
for process in "${started[@]}"; do wait "$process" || code=$?; done
exit $code
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return test_sft.data.__wrapped__(tmp_path_factory)


def train(data, root, bin_folder, *launch):
    """Two steps of a toy run on two ranks."""
    words = [word for word in test_sft.command(data, root)[3:] if word != "profile.ranks=1"]
    words += ["stage.length.max_steps=2", *launch]
    # The last of two equal settings counts; braces must come through every shell.
    words += ["stage.corpus={first_seed:0,workers:1}", "stage.corpus=null"]
    path = f"{bin_folder}:{os.environ['PATH']}"
    command = [sys.executable, "-m", "train.run", *words]
    return subprocess.run(command, env={**test_sft.ENV, "PATH": path}, capture_output=True, text=True, timeout=900)


@pytest.mark.parametrize("kind", ["torchrun", "hostfile"])
def test_two_ranks(kind, data, tmp_path):
    launch = ["profile.launch.kind=torchrun", "profile.ranks=2"]
    if kind == "hostfile":
        pytest.importorskip("deepspeed")
        for name, text in {"ssh": SSH, "pdsh": PDSH}.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        (tmp_path / "hosts").write_text("node1 slots=1\nnode2 slots=1\n")
        hosts = f"profile.launch.hostfile={tmp_path}/hosts"
        launch = ["profile.launch.kind=deepspeed", "profile.launch.nodes=2", hosts, "profile.ranks=1"]
    run = train(data, tmp_path / "runs", tmp_path, *launch)
    assert run.returncode == 0, run.stderr
    assert "2 x 1 threads" in " ".join(run.stderr.replace("node1: ", "").split())
    folder = find_run(tmp_path / "runs", "sft/tiny")
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2]
    assert Path(folder / "manifest.json").is_file()
