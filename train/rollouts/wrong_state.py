"""Right calls in the wrong state: what the gold solution does at another turn, or in another episode."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence

from hybrid_agent.types import Task, ToolCall, Window
from train.rollouts.near import names_of

_NAME = re.compile(r"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_.-]+)+")


def other_turns(texts: Sequence[str], at: int, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Gold calls of other turns of the episode, nearest first with a little chance."""
    others = sorted(
        (i for i in range(len(texts)) if texts[i] != texts[at]), key=lambda i: abs(i - at) + 3 * rng.random()
    )
    for i in others:
        yield texts[i], "an earlier call of the gold solution" if i < at else "a later call of the gold solution"


def other_episodes(others: Sequence[Task], window: Window, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Gold calls of other tasks, their paths replaced by names of this window."""
    names = [n for n in names_of(window) if re.fullmatch(r"[\w./-]+", n)]
    for task in others:
        calls = [c for c in task.gold if c.tool not in ("finish", "ask") and c.args.get("op") != "set"]
        if calls:
            call = rng.choice(calls)
            yield _renamed(call, names, rng), "a call of another episode"


def _renamed(call: ToolCall, names: Sequence[str], rng: random.Random) -> str:
    text = call.model_dump_json(exclude_defaults=True)
    if not names:
        return text
    args = json.dumps(json.loads(text)["args"], ensure_ascii=False)
    theirs = list(dict.fromkeys(_NAME.findall(args)))
    ours = rng.sample(list(names), min(len(theirs), len(names)))
    for old, new in zip(theirs, ours, strict=False):
        args = args.replace(old, new)
    return ToolCall(tool=call.tool, args=json.loads(args)).model_dump_json(exclude_defaults=True)
