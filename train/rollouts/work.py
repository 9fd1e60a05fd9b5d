"""What a worker process does: one shard of tasks at a time, with one decoder and one standing jail."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.rollouts import RolloutsConfig
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.decoder.read import Reader
from hybrid_agent.errors import SandboxError
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.packs.store import load_tasks
from hybrid_agent.protocols import Decoder, Sandbox
from hybrid_agent.runs.atomic import write_atomic, write_text
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Record, Task
from train.gold import GoldError, replay_sandbox
from train.rollouts.collect import task_contexts
from train.rollouts.episodes import task_episodes
from train.rollouts.read import figures

OTHERS = 3  # tasks whose calls serve as right calls in the wrong place
APART = 500_000_000  # seeds of those tasks lie that far away


@dataclass(frozen=True)
class Job:
    """Tasks start..stop of a pack (seeds for `train`, else positions in the stored split), and the shard's file."""

    pack: str
    start: int
    stop: int
    path: Path

    @property
    def report(self) -> Path:
        """Beside the shard: what was made and what was left out."""
        return self.path.with_name(self.path.name.removesuffix(".jsonl.gz") + ".json")


class Made(Record):
    """What became of a shard; `wrong` names the tasks whose gold solution fails."""

    records: int
    wrong: tuple[str, ...] = ()


class Worker:
    """Settings, decoder and jail of this process."""

    def __init__(self, settings: RolloutsConfig, kind: str, target: str) -> None:
        torch.set_num_threads(1)
        self.settings = settings
        folder = bundle_folder() if kind == "tiny" else Path(target)
        options = DecoderOptions(threads=1, greedy_first=settings.greedy)
        decoder = HfDecoder.from_folder(folder, call_schema(), options)
        self.decoder: Decoder = decoder
        self.reader = Reader(decoder)
        self.stack = ExitStack()
        self.sandbox: Sandbox = self.stack.enter_context(replay_sandbox())

    def renew(self) -> None:
        """Another jail and workspace in place of a broken one."""
        self.stack.close()
        self.sandbox = self.stack.enter_context(replay_sandbox())

    def tasks(self, job: Job) -> Iterator[tuple[Task, list[Task]]]:
        """The job's tasks, each with some others of the same split."""
        split = self.settings.split
        if split == "train":
            pack = load_pack(job.pack)
            for seed in range(job.start, job.stop):
                wording = random.Random(f"{self.settings.seed}:{seed}").randrange(self.settings.wordings)
                others = [make_task(pack, "train", seed + APART + at * 1_000_003) for at in range(OTHERS)]
                yield make_task(pack, "train", seed, wording=wording), others
        else:
            stored = load_tasks(job.pack, split)
            for at in range(job.start, job.stop):
                yield stored[at], [stored[(at + 7 * step) % len(stored)] for step in range(1, OTHERS + 1)]

    def run(self, job: Job) -> Made:
        """Make the shard: its report first, then the data under its final name."""
        lines: list[str] = []
        wrong: list[str] = []
        for task, others in self.tasks(job):
            found: list[str] = []
            for attempt in (1, 2):
                try:
                    if self.settings.what == "contexts":
                        made = task_contexts(task, self.sandbox, self.decoder, self.settings, others)
                        read = (figures(self.reader, context) for context in made)
                        found = [context.model_dump_json(exclude_defaults=True) for context in read]
                    else:
                        traces = job.path.parents[2] / "traces"
                        made_episodes = task_episodes(task, self.decoder, self.settings, traces)
                        found = [entry.model_dump_json() for entry in made_episodes]
                    break
                except GoldError:
                    wrong.append(task.id)
                    break
                except (SandboxError, OSError):
                    # The state is unknown: a fresh jail, and the task once more from its start.
                    self.renew()
                    if attempt == 2:
                        wrong.append(task.id)
            lines += found
        report = Made(records=len(lines), wrong=tuple(wrong))
        write_text(job.report, report.model_dump_json())
        data = gzip.compress("".join(line + "\n" for line in lines).encode(), 6, mtime=0)
        write_atomic(job.path, lambda temp: _put(temp, data))
        return report


@contextmanager
def shards(settings: RolloutsConfig, kind: str, target: str) -> Iterator[Callable[[Job], Made]]:
    """What one process of a build does with a job."""
    worker = Worker(settings, kind, target)
    try:
        yield worker.run
    finally:
        worker.stack.close()


def _put(temp: Path, data: bytes) -> None:
    temp.write_bytes(data)
