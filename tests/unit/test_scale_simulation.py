"""The simulation of replicas against queueing theory, and its command."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_agent.errors import InputError
from services.bench.replicas import parse, read_traces
from services.bench.simulation import PARTS, Episode, Shape, Simulation


def one(seconds: float, part: str = "tool") -> Episode:
    """An episode of one turn that takes its time in one part."""
    return [tuple(seconds if name == part else 0.0 for name in PARTS)]


def stream(rate: float, mean_s: float, count: int, seed: int = 1, part: str = "tool") -> list[tuple[float, Episode]]:
    rng, now, found = random.Random(seed), 0.0, []
    for _ in range(count):
        now += rng.expovariate(rate)
        found.append((now, one(rng.expovariate(1 / mean_s), part)))
    return found


@pytest.mark.parametrize("rate", [0.4, 0.7])
def test_one_server_waits_as_theory_says(rate: float) -> None:
    """M/M/1: the mean time in the system is 1 / (mu - lambda)."""
    outcome = Simulation(Shape(1, cores=1)).open(stream(rate, 1.0, 20_000))
    assert statistics.mean(outcome.times) == pytest.approx(1 / (1 - rate), rel=0.12)
    assert outcome.busy == pytest.approx(rate, rel=0.03)


def test_two_servers_wait_as_theory_says() -> None:
    """M/M/2 at load 0.75: the mean time in the system is 1 / (1 - 0.75 ** 2)."""
    outcome = Simulation(Shape(1, cores=2)).open(stream(1.5, 1.0, 20_000))
    assert statistics.mean(outcome.times) == pytest.approx(1 / (1 - 0.75**2), rel=0.12)


def test_a_shared_decoder_is_one_queue_for_all_cells() -> None:
    outcome = Simulation(Shape(16, cores=2, decoder_slots=2)).open(stream(1.5, 1.0, 20_000, part="decode"))
    assert statistics.mean(outcome.times) == pytest.approx(1 / (1 - 0.75**2), rel=0.12)
    assert outcome.busy == 0


def test_cells_share_the_load_and_nothing_is_lost() -> None:
    work = stream(3.0, 1.0, 8_000)
    four, one_cell = Simulation(Shape(4, 1)).open(work), Simulation(Shape(1, 1)).open(work)
    assert len(four.times) == len(one_cell.times) == 8_000
    assert statistics.mean(four.times) < 6 and statistics.mean(one_cell.times) > 500


def test_sessions_that_go_round_take_turns() -> None:
    outcome = Simulation(Shape(1, cores=1)).closed([one(1.0)] * 10, sessions=2)
    assert outcome.makespan == pytest.approx(10.0) and outcome.quantile(0.99) == pytest.approx(2.0)


def test_the_command_reads_traces_and_says_what_is_simulated(tmp_path: Path) -> None:
    steps = [{"line": "step", "step": {"ms": {"plan": 1, "decode": 100, "score": 5, "gate": 2, "tool": 50}}}] * 3
    lines = [json.dumps(line) for line in ({"line": "header"}, *steps, {"line": "end"})]
    (tmp_path / "trace.jsonl").write_text("\n".join(lines))
    command = [sys.executable, "-m", "services.bench.replicas", f"traces={tmp_path}", "sessions=200", "cells=1,4"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 episodes of 3.0 turns, 0.47 s each" in done.stdout and "SIMULATED" in done.stdout
    one_cell, four = (float(line.split()[1]) for line in done.stdout.splitlines()[-2:])
    assert 0.4 < one_cell / (2 * 60 / 0.474) < 1 and 3 * one_cell < four


@pytest.mark.parametrize(
    ("words", "said"), [(["cell=4"], "unknown argument"), (["cores=0"], "too small"), (["cells=1,x"], "not numbers")]
)
def test_what_is_typed_wrong(words: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(words)


def test_traces_that_are_missing_or_empty(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing here"):
        read_traces([str(tmp_path / "no")])
    (tmp_path / "trace.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match="no trace holds a step"):
        read_traces([str(tmp_path)])
