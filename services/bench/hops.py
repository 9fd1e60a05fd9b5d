"""What the services cost: the same episodes served on unix sockets and in one process, `python -m services.bench.hops`.

Both sides use the same batched decoder and scorer, so the difference is messages, processes and the journal. They take
turns on the same goals; the median of an episode served is divided by the median in-process.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybrid_agent.assemble.agent import Agent, AgentOptions, assemble_agent
from hybrid_agent.assemble.hybrid import Hybrid, make_hybrid
from hybrid_agent.assemble.rundir import RunDir, create_run
from hybrid_agent.config.serve import NAMES
from hybrid_agent.errors import InfraError, InputError
from services.bench.farm import folder
from services.bench.words import read_words
from services.clients import Services
from services.load import load_serve, needed, spec_of

GOALS = (
    "create the file report.txt with the line hello, then copy report.txt to backup.txt",
    "make the folder out, then create the file out/a.txt with the line one",
    "write a python script hello.py that prints hi, then run it",
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

    hybrid = make_hybrid(spec)
    if isinstance(hybrid.decoder, HfDecoder):
        hybrid = replace(hybrid, decoder=BatchedDecoder(hybrid.decoder))
    return hybrid


def cpu_seconds(pids: Sequence[int]) -> float:
    """CPU time of this process and of others, without what their sandboxes used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def episode(root: Path, goal: str, hybrid: Hybrid | None, services: Services, spec: Any) -> tuple[float, int]:
    """Seconds and turns of one episode, with parts of this process or (None) at the services."""
    begun = time.perf_counter()
    run: RunDir = create_run(
        root, goal=goal, workspace=None, decoder="tiny", model="m", sandbox="bubblewrap", approve="deny", seed=1
    )
    options = AgentOptions(max_steps=12, attempts=1, seed=1)
    if hybrid is not None:
        with assemble_agent(run, hybrid=hybrid, workspace=Path(run.info().workspace), options=options) as agent:
            turns = agent.run(goal).turns
    else:
        toolbox: Any = services.open(run.run_id, goal=goal)
        with Agent(run, services.hybrid(spec, run.run_id), toolbox.sandbox, toolbox, options) as agent:
            turns = agent.run(goal).turns
    return time.perf_counter() - begun, turns


def run(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    numbers, overrides = read_words(words, {"rounds": 5})
    with folder() as base:
        every = [f"runs={base / 'runs'}", f"services.sockets={base / 's'}", *overrides]
        config = load_serve(every)
        spec = spec_of(config)
        services = Services.from_config(config, needed(spec))
        times: dict[str, list[float]] = {"served": [], "in-process": []}
        used = {"served": 0.0, "in-process": 0.0}
        with processes(every, services) as started:
            pids = [process.pid for process in started.values()]
            hybrid = local_parts(spec)
            for turn in range(int(numbers["rounds"]) + 1):
                for goal in GOALS:
                    turns = set()
                    for side, parts in (("served", None), ("in-process", hybrid)):
                        before = cpu_seconds(pids)
                        took, count = episode(base / "runs", goal, parts, services, spec)
                        turns.add(count)
                        if turn:  # the first round warms up
                            times[side].append(took)
                            used[side] += cpu_seconds(pids) - before
                    if len(turns) > 1:
                        raise InfraError(f"{goal!r} took another number of turns served than in-process")
        services.close()
    ours, other = (statistics.median(times[side]) * 1e3 for side in ("served", "in-process"))
    episodes = len(times["served"])
    print(f"{episodes} episodes each; median ms: served {ours:.1f}, in-process {other:.1f}, ratio {ours / other:.3f}")
    a, b = (used[side] * 1e3 / episodes for side in ("served", "in-process"))
    print(f"CPU ms an episode, sandboxes not counted: served {a:.1f}, in-process {b:.1f}, ratio {a / b:.3f}")
    return 0


def main() -> None:
    """`python -m services.bench.hops rounds=5`."""
    try:
        sys.exit(run(sys.argv[1:]))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
