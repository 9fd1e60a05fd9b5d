"""Build labelled rollouts: `python -m train.rollouts.build [key=value ...]` (configs/rollouts.yaml).

Work is cut into shards that do not depend on each other; a shard that is on disk is not made again. The result is
written when all are there, its provenance last.

Exit codes: 0 built, 1 the machinery failed, 2 bad input, 130 interrupted (and saved).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from hybrid_agent.assemble.decoders import DecoderSpec, decoder_hash, parse_decoder
from hybrid_agent.config.load import load_config
from hybrid_agent.config.rollouts import RolloutsConfig
from hybrid_agent.errors import HybridAgentError, InfraError, InputError
from hybrid_agent.fanout.run import fan_out
from hybrid_agent.packs.pack import pack_names
from hybrid_agent.packs.store import load_tasks, pack_hash
from hybrid_agent.runs.atomic import write_text
from hybrid_agent.runs.layout import find_run
from hybrid_agent.traces.contexts import Context, read_contexts, write_contexts
from hybrid_agent.traces.counts import Tally
from hybrid_agent.traces.provenance import (
    CONTEXTS,
    EPISODES,
    PROVENANCE,
    Provenance,
    read_provenance,
    write_provenance,
)
from train.rollouts.work import Job, Made, shards

ROOT = Path(__file__).resolve().parents[2]
DEPENDS_ON = (
    "hybrid_agent/agent",
    "hybrid_agent/checks",
    "hybrid_agent/constrain",
    "hybrid_agent/packs",
    "hybrid_agent/tools",
    "hybrid_agent/types",
    "task_packs",
    "train/gold.py",
    "train/rollouts",
)


@dataclass(frozen=True)
class Plan:
    """What is to be built, where, and the name of its shards."""

    settings: RolloutsConfig
    spec: DecoderSpec
    decoder_hash: str
    code_hash: str
    folder: Path
    jobs: tuple[Job, ...]

    @property
    def todo(self) -> list[Job]:
        """Jobs whose shard is not there yet."""
        return [job for job in self.jobs if not job.path.is_file()]


def plan_build(settings: RolloutsConfig) -> Plan:
    """Check the settings and cut the work into shards.

    Raises:
        InputError: no such pack or decoder, or the folder holds something else.
    """
    known = pack_names()
    for name in settings.packs:
        if name not in known:
            raise InputError(f"no task pack {name!r}", field="packs", fix=f"use one of {', '.join(known)}")
    spec = find_decoder(settings.decoder, Path(settings.runs))
    digest = decoder_hash(spec)
    folder = Path(settings.out)
    _same_kind(folder, settings)
    code = code_hash()
    key = _key(settings, digest, code)
    jobs = []
    for name, episodes in settings.packs.items():
        first = settings.first_seed if settings.split == "train" else 0
        stop = first + episodes
        if settings.split != "train":
            stop = min(stop, len(load_tasks(name, settings.split)))
        for start in range(first, stop, settings.shard):
            end = min(start + settings.shard, stop)
            jobs.append(Job(name, start, end, folder / "shards" / key / f"{name}-{start:07d}-{end:07d}.jsonl.gz"))
    if not jobs:
        raise InputError("nothing to do: no pack has episodes", field="packs", fix="for example packs.os=100")
    return Plan(settings, spec, digest, code, folder, tuple(jobs))


def find_decoder(name: str, runs: Path) -> DecoderSpec:
    """The decoder; `hf:` takes a folder or the name of a finished run.

    Raises:
        InputError: there is no such decoder, or it cannot be used here.
    """
    kind, _, target = name.partition(":")
    if kind not in ("tiny", "hf"):
        raise InputError(f"decoder {name!r} cannot be used here", field="decoder", fix="tiny or hf:RUN")
    if kind == "hf" and target and not Path(target).is_dir():
        return DecoderSpec("hf", str(find_run(runs, target).absolute()))
    return parse_decoder(name)


def build(settings: RolloutsConfig, console: Console) -> Provenance:
    """Make all shards that are missing, then the result.

    Raises:
        InputError: see `plan_build`.
        InfraError: the workers of a shard keep dying.
    """
    plan = plan_build(settings)
    (plan.jobs[0].path.parent).mkdir(parents=True, exist_ok=True)
    todo = plan.todo
    if todo:
        _run(plan, todo, console)
    return _merge(plan)


def _run(plan: Plan, todo: Sequence[Job], console: Console) -> None:
    bar = Progress(
        TextColumn(plan.settings.what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(), TimeRemainingColumn(), console=console, disable=not console.is_terminal,
    )  # fmt: skip
    start = partial(shards, plan.settings, plan.spec.kind, plan.spec.target)
    fanout = plan.settings.fanout.over(plan.settings.workers)
    records = skipped = done = 0
    with bar, closing(fan_out(todo, start, fanout, said=bar.console.print)) as outcomes:
        shown = bar.add_task("build", total=len(todo), said="")
        for outcome in outcomes:
            made = outcome.value
            if made is None:
                raise InfraError(f"{outcome.item.path.name}: {outcome.lost}; the same command tries it again")
            records, skipped, done = records + made.records, skipped + len(made.wrong), done + 1
            bar.update(shown, advance=1, said=f"{records} made, {skipped} tasks left out")
            if not console.is_terminal:
                console.print(f"{done}/{len(todo)} shards, {records} made, {skipped} tasks left out", highlight=False)


def _merge(plan: Plan) -> Provenance:
    settings, folder = plan.settings, plan.folder
    left_out: Counter[str] = Counter()
    for job in plan.jobs:
        made = Made.model_validate_json(job.report.read_bytes())
        left_out.update(made.wrong)
    tally = Tally()
    if settings.what == "contexts":

        def stream() -> Iterator[Context]:
            for job in plan.jobs:
                for each in read_contexts(job.path):
                    tally.add(each)
                    yield each

        count = write_contexts(folder / CONTEXTS, stream())
        counts, file = tally.counts(), CONTEXTS
    else:
        lines = [line for job in plan.jobs for line in gzip.decompress(job.path.read_bytes()).decode().splitlines()]
        write_text(folder / EPISODES, "".join(line + "\n" for line in lines))
        by_label = Counter((str(d["pack"]), str(d["how"]), str(d["label"])) for d in map(json.loads, lines))
        counts = {}
        for (pack, how, label), number in sorted(by_label.items()):
            counts.setdefault(pack, {}).setdefault(how, {})[label] = number
        count, file = len(lines), EPISODES
    seeds: dict[str, tuple[int, int]] = {}
    for job in plan.jobs:
        low, high = seeds.get(job.pack, (job.start, job.stop))
        seeds[job.pack] = (min(low, job.start), max(high, job.stop))
    provenance = Provenance(
        what=settings.what,
        split=settings.split,
        decoder=settings.decoder,
        decoder_hash=plan.decoder_hash,
        packs={name: pack_hash(name) for name in seeds},
        seeds=seeds,
        seed=settings.seed,
        code_hash=plan.code_hash,
        settings=settings.model_dump(mode="json", exclude={"out", "runs", "workers", "fanout"}),
        counts=counts,
        records=count,
        left_out={"wrong_gold": sum(left_out.values())},
    )
    return write_provenance(folder, provenance, [file])


def _same_kind(folder: Path, settings: RolloutsConfig) -> None:
    """One folder holds one kind of data of one split: what is for training never mixes with what is held out."""
    marker = folder / "split.json"
    wanted = {"what": settings.what, "split": settings.split}
    found: dict[str, str] | None = None
    if (folder / PROVENANCE).is_file():
        old = read_provenance(folder)
        found = {"what": old.what, "split": old.split}
    elif marker.is_file():
        found = json.loads(marker.read_text())
    if found is not None and found != wanted:
        raise InputError(
            f"it holds {found['what']} of the split {found['split']}; splits are never mixed",
            where=str(folder),
            field="split",
            fix=f"give another folder: out={folder}-{settings.split}",
        )
    write_text(marker, json.dumps(wanted) + "\n")


def code_hash() -> str:
    """SHA-256 of all code that decides what is built."""
    digest = hashlib.sha256()
    for entry in DEPENDS_ON:
        path = ROOT / entry
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _key(settings: RolloutsConfig, digest: str, code: str) -> str:
    """Shards are named by all that decides about their content."""
    text = settings.model_dump_json(exclude={"workers", "fanout", "out", "runs", "packs", "shard"})
    return hashlib.sha256(f"{text}{digest}{code}".encode()).hexdigest()[:16]


def main(overrides: Sequence[str] | None = None) -> int:
    """The command."""
    overrides = list(sys.argv[1:] if overrides is None else overrides)
    if {"--help", "-h"} & set(overrides):
        print(__doc__)
        return 0
    # Worker processes are the parallelism; threads on top of them would only fight.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    console = Console(stderr=True)
    try:
        settings = load_config("rollouts", overrides, RolloutsConfig)
        made = build(settings, console)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except HybridAgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; finished shards are saved, the same command goes on from there", file=sys.stderr)
        return 130
    print(f"built: {settings.out} ({made.records} {made.what})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
