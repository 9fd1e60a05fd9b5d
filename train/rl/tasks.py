"""The curriculum: which training tasks a phase works on, as told by what earlier phases stored."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybrid_agent.config.stages.rl import LevelConfig, RlConfig
from hybrid_agent.errors import InputError
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.pack import Pack, load_pack
from hybrid_agent.types import Record, Task
from train.rl.records import Group

APART = 1_000_000  # seeds of phases lie that far apart
TRIES = 200  # tasks looked at before a pack is given up, and packs before a level is
FLOOR = 0.15  # an intent without any signal so far is still drawn with this probability


class Draw(Record):
    """A task by its numbers: `make_task(pack, "train", seed, wording=wording)`."""

    pack: str
    seed: int
    wording: int
    level: int

    def task(self, packs: dict[str, Pack]) -> Task:
        """The task itself."""
        return make_task(packs[self.pack], "train", self.seed, wording=self.wording)


@dataclass(frozen=True)
class History:
    """What the phases so far have told.

    Attributes:
        level: pass rate of each level in the last phase that worked on it.
        signal: of each intent, the share of groups that some tries pass and some do not.
    """

    level: dict[int, float]
    signal: dict[str, float]

    @classmethod
    def of(cls, phases: Sequence[Iterable[Group]], low: float, high: float) -> History:
        """From the stored groups, oldest phase first."""
        level: dict[int, float] = {}
        seen: dict[str, list[int]] = defaultdict(list)
        for groups in phases:
            rates: dict[int, list[float]] = defaultdict(list)
            for group in groups:
                if (rate := group.pass_rate) is not None:
                    rates[group.level].append(rate)
                    for intent in set(group.intents):
                        seen[intent].append(group.informative(low, high))
            level |= {number: sum(found) / len(found) for number, found in rates.items()}
        return cls(level, {intent: sum(found) / len(found) for intent, found in seen.items()})


def open_level(stage: RlConfig, phase: int, history: History) -> int:
    """The hardest level that is open: the next one opens when tries at the last pass often enough, or in time."""
    last = len(stage.levels) - 1
    level = min(last, phase // stage.patience)
    while level < last and history.level.get(level, 0.0) >= stage.advance:
        level += 1
    return level


def draw_tasks(stage: RlConfig, phase: int, seed: int, history: History) -> list[Draw]:
    """The tasks of a phase: half of them from the hardest open level, the rest from those below; intents that gave
    a signal are drawn more often.

    Raises:
        InputError: a level has no tasks.
    """
    rng = random.Random(f"rl:{seed}:{phase}")
    packs = load_packs(stage.levels)
    highest = open_level(stage, phase, history)
    top = max(history.signal.values(), default=0.0)
    number = stage.first_seed + phase * APART
    draws: list[Draw] = []
    for _ in range(stage.tasks):
        at = highest if highest == 0 or rng.random() < 0.5 else rng.randrange(highest)
        level = stage.levels[at]
        for _ in range(TRIES):
            [name] = rng.choices(list(level.packs), list(level.packs.values()))
            # The pack stays until a task fits: its share must not depend on how many of its tasks do.
            for _ in range(TRIES):
                number += 1
                draw = Draw(pack=name, seed=number, wording=rng.randrange(stage.wordings), level=at)
                task = draw.task(packs)
                if fits(task, level, packs[name]):
                    break
            else:
                continue
            wanted = max((history.signal.get(i, top) for i in task.intents), default=top)
            if top == 0 or rng.random() < FLOOR + (1 - FLOOR) * wanted / top:
                draws.append(draw)
                break
        else:
            raise InputError(f"no task fits the level {level.name!r}", field="stage.levels", fix="widen it")
    return draws


def fits(task: Task, level: LevelConfig, pack: Pack) -> bool:
    """Whether a task belongs to a level."""
    if not level.steps[0] <= len(task.intents) <= level.steps[1]:
        return False
    families = {intent.name: intent.family for intent in pack.intents}
    return not level.families or any(families[name] in level.families for name in task.intents)


def load_packs(levels: Iterable[LevelConfig]) -> dict[str, Pack]:
    """Every pack that a level names."""
    return {name: load_pack(name) for name in sorted({name for level in levels for name in level.packs})}
