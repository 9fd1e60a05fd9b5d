"""The SFT corpus: gold episodes of the packs' training templates, executed once, said in several wordings.

Executing is the slow part, so episodes are cached in shards (a killed build goes on where it stopped) under a
key of everything they depend on; wordings are added when the sequences are written.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.progress import track

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.config.stages.sft import CorpusConfig, PackShareConfig
from hybrid_agent.constrain.lexicon import Lexicon
from hybrid_agent.errors import InfraError
from hybrid_agent.fanout.run import fan_out
from hybrid_agent.fanout.work import Outcome
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import Pack, load_pack
from hybrid_agent.runs.atomic import write_atomic
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.traces.window_text import Piece, as_json, render_turns
from hybrid_agent.types import Window
from train.gold import GoldError, Turn, replay, replay_sandbox, reworded
from train.known_words import known_words

Shard = tuple[str, int, int, Path]  # pack, first seed, end, file

SHARD = 100
JUDGED = 5  # every fifth episode is checked in full; tests and `make packs` check the families themselves
WRONG_SHARE = 0.03  # a rare clash of drawn names is left out; more than this is a broken family
DEPENDS_ON = (
    "hybrid_agent/agent",
    "hybrid_agent/checks",
    "hybrid_agent/packs",
    "hybrid_agent/tools",
    "hybrid_agent/types",
    "task_packs",
    "train/gold.py",
)


def build_corpus(settings: CorpusConfig, root: Path, fanout: FanoutConfig | None = None) -> Path:
    """Make (or find) the corpus; returns the folder with sequences.jsonl.gz, lexicon.json and corpus.json.

    Raises:
        InfraError: the workers of a shard keep dying.
        train.gold.GoldError: more than a few training episodes have a wrong gold solution.
    """
    folder = root / corpus_key(settings)
    if (folder / "corpus.json").is_file():
        return folder
    jobs = _jobs(settings, root)
    todo = [job for job in jobs if not job[3].is_file()]
    if todo:
        spread = (fanout or FanoutConfig()).over(settings.workers)
        with closing(fan_out(todo, shards, spread)) as outcomes:
            running = track(outcomes, "executing gold episodes", total=len(todo))
            wrong = [text for outcome in running for text in _made(outcome)]
        for text in wrong[:5]:
            print(f"left out, its gold is wrong: {text}", file=sys.stderr)
        if len(wrong) > WRONG_SHARE * SHARD * len(todo):
            raise GoldError(f"{len(wrong)} gold episodes are wrong; run `make packs` and mend their families")
    folder.mkdir(parents=True, exist_ok=True)
    counts = _write_sequences(settings, jobs, folder)
    _learn_lexicon(settings, jobs, folder)
    _atomic(folder / "corpus.json", json.dumps({"settings": settings.model_dump(), **counts}, indent=1).encode())
    return folder


def build_turns(settings: CorpusConfig, root: Path, fanout: FanoutConfig | None = None) -> Path:
    """The same turns as windows and calls, for models with a chat template (train.chat_data); returns the file.

    Raises:
        train.gold.GoldError: as `build_corpus`.
    """
    path = build_corpus(settings, root, fanout) / "turns.jsonl.gz"
    if not path.is_file():
        seen, temp = set(), path.with_suffix(f".{os.getpid()}.tmp")
        with gzip.open(temp, "wt", compresslevel=3) as out:
            for pairs, kind, _ in _groups(settings, _jobs(settings, root)):
                turns = [{"window": w.model_dump(mode="json", exclude_defaults=True), "call": c} for w, c in pairs]
                line = json.dumps({"turns": turns, "kind": kind}, ensure_ascii=False)
                if turns and hash(line) not in seen:
                    seen.add(hash(line))
                    out.write(line + "\n")
        temp.replace(path)
    return path


def _jobs(settings: CorpusConfig, root: Path) -> list[tuple[str, int, int, Path]]:
    """The shards of executed episodes that a corpus is made of: pack, first seed, last seed + 1, file."""
    jobs = []
    for name, share in settings.packs.items():
        shards = root / "episodes" / f"{name}-{_code_hash()[:12]}"
        shards.mkdir(parents=True, exist_ok=True)
        for start in range(settings.first_seed, settings.first_seed + share.episodes, SHARD):
            stop = min(start + SHARD, settings.first_seed + share.episodes)
            jobs.append((name, start, stop, shards / f"{start:06d}-{stop:06d}.jsonl.gz"))
    return jobs


def corpus_key(settings: CorpusConfig) -> str:
    """Identifies a corpus: its settings and the code it comes from."""
    text = settings.model_dump_json(exclude={"workers"}) + _code_hash()
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _code_hash() -> str:
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    for entry in DEPENDS_ON:
        path = root / entry
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


@contextmanager
def shards() -> Iterator[Callable[[Shard], list[str]]]:
    """What one process does with a shard; it has nothing to prepare."""
    yield _execute_shard


def _made(outcome: Outcome[Shard, list[str]]) -> list[str]:
    if outcome.value is None:
        raise InfraError(f"{outcome.item[3].name}: {outcome.lost}; the same command tries it again")
    return outcome.value


def _execute_shard(job: Shard) -> list[str]:
    """Run the gold of one shard's seeds and store their turns; returns what went wrong."""
    name, start, stop, path = job
    pack = load_pack(name)
    lines, wrong = [], []
    with replay_sandbox() as sandbox:
        for seed in range(start, stop):
            try:
                turns = replay(make_task(pack, "train", seed), sandbox, judged=seed % JUDGED == 0)
            except GoldError as error:
                wrong.append(str(error))
                continue
            lines.append(json.dumps({"seed": seed, "turns": [t.model_dump(mode="json") for t in turns]}))
    if len(wrong) <= WRONG_SHARE * (stop - start):
        _atomic(path, gzip.compress("\n".join(lines).encode(), 3))
    return wrong


def _episodes(jobs: Sequence[Shard]) -> Iterator[tuple[str, int, list[Turn]]]:
    for name, _, _, path in jobs:
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            data = json.loads(line)
            yield name, data["seed"], [Turn.model_validate(t) for t in data["turns"]]


def _write_sequences(
    settings: CorpusConfig, jobs: Sequence[tuple[str, int, int, Path]], folder: Path
) -> dict[str, int]:
    total, seen = 0, set()
    with gzip.open(folder / "sequences.tmp", "wt", compresslevel=3) as out:
        for pairs, kind, template in _groups(settings, jobs):
            for pieces, wording in _worded(pairs, template):
                line = json.dumps({**as_json(pieces), "kind": kind, "wording": wording}, ensure_ascii=False)
                if hash(line) not in seen:
                    seen.add(hash(line))
                    out.write(line + "\n")
                    total += 1
    (folder / "sequences.tmp").replace(folder / "sequences.jsonl.gz")
    return {"episodes": sum(stop - start for _, start, stop, _ in jobs), "sequences": total}


def _groups(
    settings: CorpusConfig, jobs: Sequence[tuple[str, int, int, Path]]
) -> Iterator[tuple[list[tuple[Window, str]], str, str]]:
    """Windows with their calls, an episode in one of its wordings at a time, then single plans; kind; template."""
    packs = {name: load_pack(name) for name in settings.packs}
    rng = random.Random(settings.first_seed)
    episodes = sum(stop - start for _, start, stop, _ in jobs)
    for name, seed, turns in track(_episodes(jobs), "writing sequences", total=episodes):
        original = make_task(packs[name], "train", seed)
        for wording in range(settings.packs[name].wordings):
            other = make_task(packs[name], "train", seed, wording=wording)
            version = reworded(turns, original, other)
            kept = {"finish": settings.finish_share, "plan": settings.plan_share, "step": 1.0}
            yield [(t.window, t.call) for t in version if rng.random() < kept[t.window.phase]], name, other.template
    for name, share in settings.packs.items():
        for window, call, template in _plans(packs[name], settings.first_seed, share):
            yield [(window, call)], f"{name}-plan", template


def _plans(pack: Pack, first_seed: int, share: PackShareConfig) -> Iterator[tuple[Window, str, str]]:
    """Plan turns of further goals, and their templates; seeds start far from those of the executed episodes."""
    for seed in range(share.plans):
        task = make_task(pack, "train", first_seed + 10_000_000 + seed)
        yield Window(goal=task.goal), task.gold[0].model_dump_json(exclude_defaults=True), task.template


def _worded(pairs: Iterable[tuple[Window, str]], template: str) -> Iterator[tuple[list[Piece], str]]:
    """The sequences of an episode, and what of its template ("one/train3+two/train0:and_then") said each: the wording
    of a step, the join of the steps for a plan."""
    steps, _, join = template.rpartition(":")

    def wording(pair: tuple[Window, str]) -> str:
        window = pair[0]
        if window.phase == "step":
            return steps.split("+")[window.index]
        return f"join:{join}" if window.phase == "plan" else window.phase

    for name, turns in groupby(pairs, wording):
        for pieces in render_turns(turns):
            yield pieces, name


def _learn_lexicon(settings: CorpusConfig, jobs: Sequence[Shard], folder: Path) -> None:
    schema = call_schema()

    def examples() -> Iterator[tuple[Window, dict[str, Any], dict[str, Any]]]:
        for _, _, turns in _episodes(jobs):
            for turn in turns:
                yield turn.window, json.loads(turn.call), schema

    known = known_words(folder / "sequences.jsonl.gz", tuple(settings.packs))
    lexicon = replace(Lexicon.learn(examples(), min_count=settings.min_count), **known._asdict())
    _atomic(folder / "lexicon.json", lexicon.to_json().encode())


def _atomic(path: Path, data: bytes) -> None:
    def put(temp: Path) -> None:
        temp.write_bytes(data)

    write_atomic(path, put)
