"""What the services cost: the same episodes served on unix sockets and in one process, `python -m services.bench.hops`.

Both sides use the same batched decoder and scorer, so the difference is messages, processes and the journal. They take
turns on the same goals, each first in every other round; the ratio is the median over these pairs, because the machine
is about as busy for both of a pair.

What a hop costs does not depend on the decoder, what an episode costs does. `wide=10` measures with the bundle's
decoder made ten times as wide by `hybrid_agent.nn.grow` (107 M parameters): the same texts at the cost of that size.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from hybrid_agent.assemble.agent import Agent, AgentOptions, assemble_agent
from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.assemble.hybrid import Hybrid, make_hybrid
from hybrid_agent.assemble.rundir import RunDir, create_run
from hybrid_agent.cli.exits import guarded
from hybrid_agent.config.serve import NAMES
from hybrid_agent.errors import InfraError
from hybrid_agent.nn.grow import widen
from hybrid_agent.scorer.batch import BatchedScorer
from services.bench.farm import folder
from services.bench.words import read_words
from services.clients import Services
from services.load import load_serve, needed, spec_of

# {n} is the number of the round: of a goal that was there before, the decoder's cache would know all texts.
GOALS = (
    "create the file report{n}.txt with the line hello, then copy report{n}.txt to backup{n}.txt",
    "make the folder out{n}, then create the file out{n}/a.txt with the line one",
    "write a python script hello{n}.py that prints hi, then run it",
)
START_S = 300.0


@contextlib.contextmanager
def processes(overrides: Sequence[str], services: Services) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """A process for each service; killed at the end.

    Raises:
        InfraError: they do not start.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    started = {
        name: subprocess.Popen(
            [sys.executable, "-m", f"services.{name}", *overrides],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        for name in NAMES
        if name in services.channels
    }
    try:
        until = time.monotonic() + START_S
        while services.away():
            if time.monotonic() > until or any(process.poll() is not None for process in started.values()):
                raise InfraError(f"the services do not start: {', '.join(services.away())}")
            time.sleep(0.2)
        yield started
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.wait()


def local_parts(spec: Any) -> Hybrid:
    """The hybrid in this process, with the batched parts that the services use."""
    from hybrid_agent.decoder.batch import BatchedDecoder
    from hybrid_agent.decoder.hf import HfDecoder
    from hybrid_agent.scorer.energy import EnergyScorer

    hybrid = make_hybrid(spec)
    if isinstance(hybrid.decoder, HfDecoder):
        hybrid = replace(hybrid, decoder=BatchedDecoder(hybrid.decoder))
    if isinstance(hybrid.scorer, EnergyScorer):
        hybrid = replace(hybrid, scorer=_Judged(hybrid.scorer))
    return hybrid


class _Judged(BatchedScorer):
    """A batched scorer for one episode at a time, whose gate is set as that of a scorer alone."""

    @property
    def judge(self) -> Any:
        return self.scorer.judge

    @judge.setter
    def judge(self, judge: Any) -> None:
        self.scorer.judge = judge


def cpu_seconds(pids: Sequence[int]) -> float:
    """CPU time of this process and of others, without what their sandboxes used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def episode(root: Path, goal: str, hybrid: Hybrid | None, services: Services, spec: Any) -> tuple[float, int]:
    """Seconds and turns of one episode, with parts of this process or (None) at the services.

    Raises:
        InfraError: it could not be done; its time would say nothing.
    """
    begun = time.perf_counter()
    run: RunDir = create_run(
        root, goal=goal, workspace=None, decoder="tiny", model="m", sandbox="bubblewrap", approve="deny", seed=1
    )
    options = AgentOptions(max_steps=12, attempts=1, seed=1)
    if hybrid is not None:
        with assemble_agent(run, hybrid=hybrid, workspace=Path(run.info().workspace), options=options) as agent:
            result = agent.run(goal)
    else:
        toolbox: Any = services.open(run.run_id, goal=goal)
        with Agent(run, services.hybrid(spec, run.run_id), toolbox.sandbox, toolbox, options) as agent:
            result = agent.run(goal)
    if result.infra:
        raise InfraError(result.summary)
    return time.perf_counter() - begun, result.turns


@dataclass(frozen=True)
class Measured:
    """Medians of an episode's wall time in milliseconds, and means of its CPU time without the sandboxes'.

    `ratio` is the median of served / in-process over the pairs of one goal, `low` and `high` their quartiles;
    `parameters` are those of a widened decoder, 0 for the one that was asked for.
    """

    episodes: int
    ratio: float
    low: float
    high: float
    served_ms: float
    local_ms: float
    served_cpu_ms: float
    local_cpu_ms: float
    parameters: int = 0


def widened(into: Path, times: int) -> int:
    """Write the shipped bundle with a decoder `times` as wide; returns its number of parameters."""
    from transformers import LlamaForCausalLM

    bundle = bundle_folder()
    # Experts and shaping are made of its weights, the manifest is of the decoder as it is shipped.
    its_own = ("decoder", "experts", "shaping", "manifest.json")
    for part in bundle.iterdir():
        if part.name not in its_own:
            (into / part.name).symlink_to(part)
    shutil.copytree(bundle / "decoder", into / "decoder", ignore=shutil.ignore_patterns("*.safetensors"))
    wide = widen(LlamaForCausalLM.from_pretrained(bundle / "decoder", dtype=torch.float32), times)
    wide.save_pretrained(into / "decoder")
    return int(wide.num_parameters())


def measure(rounds: int, overrides: Sequence[str] = (), wide: int = 1) -> Measured:
    """Each goal `rounds` times on each side, after one round to warm up, with a decoder `wide` times as wide.

    Raises:
        InfraError: the services do not start, or do something else than the parts in this process.
        InputError: an override is wrong.
    """
    times: dict[str, list[float]] = {"served": [], "in-process": []}
    used = {"served": 0.0, "in-process": 0.0}
    with folder() as base:
        every = [f"runs={base / 'runs'}", f"services.sockets={base / 's'}", *overrides]
        parameters = 0
        if wide > 1:
            (base / "wide").mkdir()
            parameters = widened(base / "wide", wide)
            every.append(f"decoder=hf:{base / 'wide'}")
        config = load_serve(every)
        spec = spec_of(config)
        services = Services.from_config(config, needed(spec))
        with processes(every, services) as started:
            pids = [process.pid for process in started.values()]
            hybrid = local_parts(spec)
            for turn in range(rounds + 1):
                for goal in (goal.format(n=turn) for goal in GOALS):
                    turns = set()
                    sides = (("served", None), ("in-process", hybrid))
                    for side, parts in sides if turn % 2 else sides[::-1]:
                        before = cpu_seconds(pids)
                        took, count = episode(base / "runs", goal, parts, services, spec)
                        turns.add(count)
                        if turn:
                            times[side].append(took * 1e3)
                            used[side] += (cpu_seconds(pids) - before) * 1e3
                    if len(turns) > 1:
                        raise InfraError(f"{goal!r} took another number of turns served than in-process")
        services.close()
    episodes = len(times["served"])
    walls = [statistics.median(times[side]) for side in ("served", "in-process")]
    ratios = [served / local for served, local in zip(times["served"], times["in-process"], strict=True)]
    low, ratio, high = statistics.quantiles(ratios, n=4)
    each = (used["served"] / episodes, used["in-process"] / episodes)
    return Measured(episodes, ratio, low, high, walls[0], walls[1], *each, parameters)


def run(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    numbers, overrides = read_words(words, {"rounds": 5, "wide": 1})
    m = measure(int(numbers["rounds"]), overrides, int(numbers["wide"]))
    if m.parameters:
        print(f"decoder of {m.parameters / 1e6:.0f} M parameters")
    walls = f"served {m.served_ms:.1f}, in-process {m.local_ms:.1f}"
    print(f"{m.episodes} episodes each; median ms: {walls}; ratio of pairs {m.ratio:.3f} ({m.low:.3f} to {m.high:.3f})")
    cpu = m.served_cpu_ms / m.local_cpu_ms
    print(
        "CPU ms an episode, sandboxes not counted: "
        f"served {m.served_cpu_ms:.1f}, in-process {m.local_cpu_ms:.1f}, ratio {cpu:.3f}"
    )
    return 0


if __name__ == "__main__":
    guarded(lambda: run(sys.argv[1:]))
