"""From intents to a task: one goal, one workspace, one gold solution, one set of checks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene
from hybrid_agent.packs.joins import NameFirst, write_goal
from hybrid_agent.packs.pack import Pack
from hybrid_agent.packs.wording import phrase
from hybrid_agent.types import SetupItem, Split, Task, ToolCall

SUMMARY = "all checks passed"
ASKED = "needs an answer"


def make_task(
    pack: Pack, split: Split, seed: int | str, intents: Sequence[Intent] | None = None, wording: int = 0
) -> Task:
    """One task, wholly determined by its arguments.

    `intents` fixes the steps (they must be allowed in the split); otherwise they are drawn. Another `wording`
    says the same scenes in other words: workspace, gold calls (but for the plan's text) and checks stay.
    """
    draw = Draw(f"{pack.settings.name}:{seed}", split)
    rng = draw.rng
    if intents is None:
        intents = pack.pick(rng, split, _length(pack, split, rng))
    scenes = [intent.build(draw) for intent in intents]
    setup = _setup(scenes, draw)
    rng = random.Random(f"{split}:{pack.settings.name}:{seed}:wording{wording}")
    worded = [_word(intent, scene, split, rng) for intent, scene in zip(intents, scenes, strict=True)]
    join, goal, steps = write_goal([w[1] for w in worded], rng, held=split == "test_paraphrase")
    asks = any("ask" in intent.tags for intent in intents)
    gold = _gold(scenes, steps, asks)
    return Task(
        id=f"{pack.settings.name}-{split}-{seed}",
        pack=pack.settings.name,
        family=intents[0].family if len(intents) == 1 else f"{len(intents)}-steps",
        template="+".join(w[0] for w in worded) + ":" + join,
        intents=tuple(intent.name for intent in intents),
        split=split,
        goal=goal,
        setup=tuple(setup),
        checks=tuple(check for scene in scenes for check in scene.checks),
        gold=tuple(ToolCall.model_validate(call) for call in gold),
        max_steps=2 * len(gold) + 6,
        destructive=any(scene.destructive for scene in scenes),
    )


def _length(pack: Pack, split: Split, rng: random.Random) -> int:
    settings = pack.settings
    if split == "test_composition":
        if settings.composition == "cells":
            return 1
        lengths = list(range(2, len(settings.lengths) + 1))
        return rng.choice([*lengths, settings.held_length or lengths[-1]])
    return rng.choices(range(1, len(settings.lengths) + 1), settings.lengths)[0]


def _word(intent: Intent, scene: Scene, split: Split, rng: random.Random) -> tuple[str, str]:
    """(name of the wording, clause)."""
    group, patterns = "train", intent.train
    if split == "test_paraphrase":
        group, patterns = "held", intent.held
    elif split == "val" and rng.random() < 0.5:
        group, patterns = "val", intent.val
    index = rng.randrange(len(patterns))
    clause = phrase(patterns[index], scene.slots, rng)
    named = patterns[index].startswith("{") and clause[0] not in "'\"`"
    return f"{intent.name}/{group}{index}", NameFirst(clause) if named else clause


def _gold(scenes: Sequence[Scene], steps: Sequence[str], asks: bool) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = [{"tool": "plan", "args": {"op": "set", "steps": list(steps)}}]
    for scene in scenes:
        calls.extend(dict(call) for call in scene.gold)
        if not asks:
            check = scene.done.model_dump(exclude_defaults=True)
            calls.append({"tool": "plan", "args": {"op": "done", "check": {"kind": scene.done.kind, **check}}})
    status, summary = ("unsure", ASKED) if asks else ("done", SUMMARY)
    calls.append({"tool": "finish", "args": {"status": status, "summary": summary}})
    return calls


def _setup(scenes: Sequence[Scene], draw: Draw) -> list[SetupItem]:
    """The scenes' items, then a few files that have nothing to do with the goal."""
    items = [item for scene in scenes for item in scene.setup]
    clutter = [
        SetupItem(path=draw.path(nested=0.2), text=draw.lines(1, 4)) for _ in range(draw.choice([0, 0, 1, 1, 2, 3]))
    ]
    return items + clutter
