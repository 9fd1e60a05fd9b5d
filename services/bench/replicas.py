"""`python -m services.bench.replicas [KEY=VALUE ...]`: what 1, 4 and 16 replicas would hold. A SIMULATION.

The times of the parts are measured: from the traces named, or from a few episodes run here first. What many cells do
with them is computed by `services.bench.simulation`.

  traces=PATH      trace.jsonl files or folders of runs (several: traces=A,B); without it, episodes are run here
  episodes=12      how many are run here
  cells=1,4,16     replicas
  cores=2          of one cell
  decoder_slots=0  0: each cell decodes itself; N: a pool of N slots that all cells share (vLLM, say)
  sessions=2000    episodes that are simulated for each figure
  slack=3          a load is held if 95 % of episodes take at most so many times an undisturbed one
  seed=0
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hybrid_agent.cli.exits import guarded
from hybrid_agent.errors import InputError
from services.bench.simulation import PARTS, Episode, Outcome, Shape, Simulation

GOALS = (
    "create a file notes.txt with the text hello",
    "make a folder reports",
    "create a folder old and move notes.txt into it",
    "delete the file tmp.log",
)
FILES = {"notes.txt": "hello\n", "tmp.log": "x\n"}
HALVINGS = 7


@dataclass
class Options:
    """What may be typed."""

    traces: str = ""
    episodes: int = 12
    cells: str = "1,4,16"
    cores: int = 2
    decoder_slots: int = 0
    sessions: int = 2000
    slack: float = 3.0
    seed: int = 0


def parse(words: Sequence[str]) -> Options:
    """Read KEY=VALUE words.

    Raises:
        InputError: an unknown key or a bad value.
    """
    options = Options()
    kinds = {field.name: type(getattr(options, field.name)) for field in fields(options)}
    for word in words:
        name, equals, text = word.partition("=")
        if name not in kinds or not equals:
            raise InputError(f"unknown argument {word!r}", fix=f"use {', '.join(f'{n}=' for n in kinds)}")
        try:
            value = kinds[name](text)
        except ValueError:
            raise InputError(f"not a number: {text!r}", field=name) from None
        if not isinstance(value, str) and value < (0 if name in ("decoder_slots", "seed") else 1):
            raise InputError(f"{value} is too small", field=name)
        setattr(options, name, value)
    if not all(part.isdecimal() and int(part) > 0 for part in options.cells.split(",")):
        raise InputError(f"not numbers of replicas: {options.cells!r}", field="cells", fix="write cells=1,4,16")
    return options


def read_traces(places: Sequence[str]) -> list[Episode]:
    """The times of every episode in trace files, in seconds.

    Raises:
        InputError: there is no such file, or none holds a step.
    """
    found: list[Episode] = []
    for place in map(Path, places):
        if not place.exists():
            raise InputError("there is nothing here", where=str(place), field="traces")
        for path in sorted(place.rglob("trace.jsonl")) if place.is_dir() else [place]:
            turns = []
            for line in path.read_text().splitlines():
                record: dict[str, Any] = json.loads(line)
                ms = record.get("ms") or (record.get("step") or {}).get("ms")
                if ms:
                    turns.append(tuple(float(ms.get(part, 0.0)) / 1000 for part in PARTS))
            if turns:
                found.append(turns)
    if not found:
        raise InputError("no trace holds a step", field="traces", where=", ".join(places))
    return found


def measure(count: int) -> list[Episode]:
    """Run episodes of the shipped agent here, one at a time, and read their traces."""
    from hybrid_agent.assemble.agent import AgentOptions, assemble_agent
    from hybrid_agent.assemble.decoders import parse_decoder
    from hybrid_agent.assemble.hybrid import make_hybrid
    from hybrid_agent.assemble.parts import find_parts
    from hybrid_agent.assemble.presets import preset
    from hybrid_agent.assemble.rundir import create_run

    spec = find_parts(parse_decoder("tiny"), preset("auto"))
    hybrid = make_hybrid(spec)
    with tempfile.TemporaryDirectory(prefix="replicas-") as folder:
        for number in range(count + 1):  # the first one warms up and is not counted
            workspace = Path(folder) / f"w{number}"
            workspace.mkdir()
            for name, text in FILES.items():
                (workspace / name).write_text(text)
            goal = GOALS[number % len(GOALS)]
            run = create_run(
                Path(folder) / ("runs" if number else "warm"), goal=goal, workspace=workspace, decoder="tiny",
                hybrid="auto", model="", sandbox="bubblewrap", approve="auto", seed=number,
            )  # fmt: skip
            options = AgentOptions(approve="auto", attempts=2, seed=number)
            with assemble_agent(run, hybrid=hybrid, workspace=workspace, options=options) as agent:
                agent.run(goal)
        return read_traces([str(Path(folder) / "runs")])


def arrivals(episodes: Sequence[Episode], rate: float, count: int, seed: int) -> list[tuple[float, Episode]]:
    """A Poisson stream of measured episodes, drawn with replacement."""
    rng, now, found = random.Random(seed), 0.0, []
    for _ in range(count):
        now += rng.expovariate(rate)
        found.append((now, rng.choice(episodes)))
    return found


def held(shape: Shape, episodes: Sequence[Episode], options: Options) -> tuple[float, Outcome]:
    """The highest rate (episodes a second) at which the slack holds, and what happens at it."""
    alone = statistics.mean(sum(map(sum, episode)) for episode in episodes)
    limit = options.slack * max(sum(map(sum, episode)) for episode in episodes)

    def at(rate: float) -> Outcome:
        return Simulation(shape, options.seed).open(arrivals(episodes, rate, options.sessions, options.seed))

    low, high = 0.0, 1.2 * shape.cells * shape.cores / alone
    if shape.decoder_slots:
        decode = statistics.mean(sum(turn[PARTS.index("decode")] for turn in episode) for episode in episodes)
        others = max(alone - decode, 1e-9)
        high = 1.2 * min(shape.cells * shape.cores / others, shape.decoder_slots / max(decode, 1e-9))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if at(middle).quantile(0.95) <= limit:
            low = middle
        else:
            high = middle
    rate = max(low, high / 2**HALVINGS)
    return rate, at(rate)


def main(words: Sequence[str]) -> int:
    """Print the figures."""
    if any(word in ("-h", "--help") for word in words):
        print(__doc__)
        return 0
    options = parse(words)
    episodes = read_traces(options.traces.split(",")) if options.traces else measure(options.episodes)
    alone = [sum(map(sum, episode)) for episode in episodes]
    turns = [turn for episode in episodes for turn in episode]
    length = len(turns) / len(episodes)
    print(f"measured: {len(episodes)} episodes of {length:.1f} turns, {statistics.mean(alone):.2f} s each")
    parts = ", ".join(f"{part} {1000 * statistics.mean(t[i] for t in turns):.1f}" for i, part in enumerate(PARTS))
    print(f"measured: ms a turn: {parts}")
    decoder = f"a pool of {options.decoder_slots} decoder slots" if options.decoder_slots else "decoding in the cell"
    print(f"SIMULATED from here on: {options.cores} cores a cell, {decoder}, {options.sessions} episodes a figure")
    print(f"{'cells':>5} {'episodes/min':>13} {'per cell':>9} {'p50 s':>7} {'p95 s':>7} {'cores used':>11}")
    for cells in map(int, options.cells.split(",")):
        rate, outcome = held(Shape(cells, options.cores, options.decoder_slots), episodes, options)
        print(
            f"{cells:>5} {60 * rate:>13.1f} {60 * rate / cells:>9.1f} {outcome.quantile(0.5):>7.2f} "
            f"{outcome.quantile(0.95):>7.2f} {outcome.busy:>10.0%}"
        )
    return 0


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
