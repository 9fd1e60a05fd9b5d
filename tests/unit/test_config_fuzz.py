"""Malformed configs and tasks by the thousand: each is answered with field and fix, never with a traceback."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from eval.goals import read_goals
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.load import config_root, load_config
from hybrid_agent.errors import InputError
from hybrid_agent.packs.store import parse_task

JUNK: list[Any] = [
    None, True, -1, 0, 1e308, float("nan"), 10**40, "", " ", "\ud800", "\x00", "a" * 5000, "../../etc", [], {}, [[]],
    {"kind": "exsits"}, [None], {"": ""}, "999", "${oc.env:HOME}", "null", "\u202e",
]  # fmt: skip


def slots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values in a JSON document."""
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found += slots(inner, (*path, key))
    return found


def mutate(document: Any, rng: random.Random) -> Any:
    """The document with one thing wrong (or, rarely, still right)."""
    document = json.loads(json.dumps(document))
    *parents, last = rng.choice(slots(document))
    holder = document
    for key in parents:
        holder = holder[key]
    kind = rng.randrange(4)
    if kind == 0:
        del holder[last]
    elif kind == 1 and isinstance(holder, dict):
        name = str(last)
        spot = rng.randrange(len(name) + 1)
        holder[name[:spot] + rng.choice("xzq_ ") + name[spot:]] = holder.pop(last)
    else:
        holder[last] = rng.choice(JUNK)
    return document


def damage(text: str, rng: random.Random) -> str:
    """The text cut, doubled or with a character of it replaced."""
    spot = rng.randrange(len(text))
    kind = rng.randrange(3)
    if kind == 0:
        return text[:spot]
    if kind == 1:
        return text + text[spot:]
    return text[:spot] + rng.choice("{}[],:\"'\\\x00\t&*!%@") + text[spot + 1 :]


def survivors(attempt: Callable[[], object], says: str) -> bool:
    """True if the input was refused properly; False if it was fine after all."""
    try:
        attempt()
    except InputError as error:
        assert says in str(error)
        assert error.fix
        assert error.where
        assert "\n" not in str(error)
        return True
    return False


def test_malformed_tasks_are_named() -> None:
    rng = random.Random(0)
    tasks = [json.loads(goal.task().model_dump_json()) for goal in read_goals()]
    refused = 0
    for number in range(1600):
        document = rng.choice(tasks)
        if number % 4 == 0:
            line = damage(json.dumps(document), rng)
        else:
            line = json.dumps(mutate(document, rng))
        where = f"tasks.jsonl:{number}"
        refused += survivors(partial(parse_task, line, where), where)
    assert refused > 1100


@pytest.mark.parametrize(
    "line", ["", "[]", "3", '"x"', "null", "{}", "[" * 5000, "{" * 5000, "\x00", "nan", '{"id":1}']
)
def test_lines_that_are_no_task_at_all(line: str) -> None:
    assert survivors(lambda: parse_task(line, "tasks.jsonl:7"), "tasks.jsonl:7")


def test_malformed_overrides_are_named() -> None:
    rng = random.Random(1)
    good = ["limit=20", "split=val", "suite=os", "suite.name=x", "workers=2", "decoder=tiny", "seed=1", "resume=false"]
    refused = 0
    for _ in range(200):
        override = damage(rng.choice(good), rng) if rng.random() < 0.6 else f"{rng.choice(good)[:-1]}{rng.choice(JUNK)}"
        refused += survivors(partial(load_config, "eval", [override], EvalConfig), "")
    assert refused > 100


def test_malformed_config_files_are_named(tmp_path: Path) -> None:
    rng = random.Random(2)
    root = tmp_path / "configs"
    shutil.copytree(config_root(), root)
    names = ["eval.yaml", "suite/os.yaml"]
    texts = {name: (root / name).read_text() for name in names}
    refused = 0
    for _ in range(200):
        name = rng.choice(names)
        lines = texts[name].splitlines()
        if rng.random() < 0.5:
            bad = damage(texts[name], rng)
        else:
            spot = rng.randrange(len(lines))
            key = lines[spot].split(":")[0]
            lines[spot] = f"{key}: {rng.choice(JUNK)}" if rng.random() < 0.5 else f"{key}x: 1"
            bad = "\n".join(lines)
        (root / name).write_text(bad, errors="replace")
        refused += survivors(partial(load_config, "eval", [], EvalConfig, root), "")
        (root / name).write_text(texts[name])
    assert refused > 60
