"""Rollouts of a phase: shards of tasks that do not depend on each other; a shard that is on disk is not made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hybrid_agent.assemble.hybrid import load_part
from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.config.stages.rl import RlConfig
from hybrid_agent.errors import InfraError, SandboxError
from hybrid_agent.fanout.run import fan_out
from hybrid_agent.protocols import Sandbox, Scorer
from hybrid_agent.types import Task
from train.gold import GoldError, replay_sandbox
from train.rl.episodes import episode_group
from train.rl.policy import Policy
from train.rl.records import Group, read_groups, write_groups
from train.rl.segments import segment_groups
from train.rl.tasks import Draw, load_packs

Given = tuple[RlConfig, Path, Path | None, int, str]  # the arguments of a Roller


@dataclass(frozen=True)
class Job:
    """A shard: its tasks and its file."""

    draws: tuple[Draw, ...]
    path: Path


class Roller:
    """Policy, scorer and jail of one process.

    Args:
        stage: what to try, and how often.
        decoder: folder of the policy.
        scorer: folder of the energy model, if any.
        seed: of the draws.
        device: of the policy.
    """

    def __init__(self, stage: RlConfig, decoder: Path, scorer: Path | None, seed: int, device: str = "cpu") -> None:
        self.stage, self.seed = stage, seed
        self.policy = Policy.load(decoder, stage.temperature, stage.max_tokens, device)
        self.scorer: Scorer | None = load_part("scorer", {"scorer": scorer}) if scorer is not None else None
        self.packs = load_packs(stage.levels)
        self.stack = ExitStack()
        self.sandbox: Sandbox = self.stack.enter_context(replay_sandbox())

    def run(self, job: Job) -> int:
        """Make a shard; returns how many groups it holds."""
        groups: list[Group] = []
        for draw in job.draws:
            task = draw.task(self.packs)
            for attempt in (1, 2):
                try:
                    groups += self._groups(task, draw.level)
                    break
                except GoldError:
                    break  # a bug of a task family must not be learned from
                except (SandboxError, OSError):
                    # The state is unknown: a fresh jail, and the task once more; then it is left out.
                    self.stack.close()
                    self.sandbox = self.stack.enter_context(replay_sandbox())
                    if attempt == 2:
                        break
        write_groups(job.path, groups)
        return len(groups)

    def _groups(self, task: Task, level: int) -> list[Group]:
        given = (task, self.sandbox, self.policy, self.scorer, self.stage, level, self.seed)
        return [episode_group(*given)] if self.stage.unit == "episode" else list(segment_groups(*given))


def collect(
    stage: RlConfig,
    draws: Sequence[Draw],
    folder: Path,
    decoder: Path,
    scorer: Path | None,
    seed: int,
    said: Callable[[str], None],
    device: str = "cpu",
    fanout: FanoutConfig | None = None,
) -> list[Group]:
    """All groups of a phase, in the order of its tasks; missing shards are made first.

    Raises:
        InfraError: the workers of a shard keep dying.
    """
    jobs = [
        Job(tuple(draws[at : at + stage.shard]), folder / f"{at:05d}.jsonl.gz")
        for at in range(0, len(draws), stage.shard)
    ]
    todo = [job for job in jobs if not job.path.is_file()]
    if todo:
        _make((stage, decoder, scorer, seed, device), todo, said, fanout or FanoutConfig())
    return [group for job in jobs for group in read_groups(job.path)]


@contextmanager
def shards(given: Given) -> Iterator[Callable[[Job], int]]:
    """What one process does with a job."""
    roller = Roller(*given)
    try:
        yield roller.run
    finally:
        roller.stack.close()


def _make(given: Given, todo: Sequence[Job], said: Callable[[str], None], fanout: FanoutConfig) -> None:
    groups = 0
    with closing(fan_out(todo, partial(shards, given), fanout.over(given[0].workers), said=said)) as outcomes:
        for done, outcome in enumerate(outcomes, 1):
            if outcome.value is None:
                raise InfraError(f"{outcome.item.path.name}: {outcome.lost}; the same command tries it again")
            groups += outcome.value
            said(f"{done}/{len(todo)} shards, {groups} groups")
