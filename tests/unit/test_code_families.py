"""The code families: wordings, meaning of the generated functions, and scenes solved by their gold calls."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import types
from pathlib import Path
from typing import Any, get_args

import pytest

from hybrid_agent.packs.draw import Draw, held_out
from hybrid_agent.packs.family import Intent, Scene
from hybrid_agent.packs.store import prepare_workspace
from hybrid_agent.packs.wording import expand, phrase
from hybrid_agent.tools.sandbox.limits import Limits
from hybrid_agent.tools.sandbox.plain import PlainSandbox
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.types import Split, ToolCall
from task_packs.code.functions import composed as composing
from task_packs.code.functions.classics import SHAPES, classic
from task_packs.code.functions.composed import SALT, composed
from task_packs.code.functions.crashes import FAULTS, crash
from task_packs.code.functions.model import VISIBLE, Function, call, literal

FAMILIES = "implement bugfix crash rename addtest project".split()
INTENTS: list[Intent] = [
    intent for family in FAMILIES for intent in importlib.import_module(f"task_packs.code.families.{family}").INTENTS
]
EACH = pytest.mark.parametrize("intent", INTENTS, ids=lambda i: i.name)
SPLITS: tuple[Split, ...] = get_args(Split)
SEEDS = 20
WINDOW = 600  # characters of an observation that the tiny decoder sees
SLOT = re.compile(r"\{(\w+)\}")


def words(patterns: list[str]) -> set[str]:
    return {word for p in patterns for word in re.findall(r"[a-z]+", SLOT.sub(" ", p).lower())}


def module(text: str) -> types.ModuleType:
    made = types.ModuleType("made")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, "made.py", "exec"), made.__dict__)  # noqa: S102 - our own generated code
    return made


def answers(text: str, function: Function, count: int | None = None) -> list[Any]:
    """What the code answers to the inputs; an exception counts as its type."""
    found: list[Any] = []
    code = module(text).f
    for args in function.inputs[:count]:
        try:
            found.append(code(*args))
        except Exception as error:
            found.append(type(error))
    return found


def drawn(intent: Intent, split: Split) -> list[Scene]:
    return [intent.build(Draw(f"{intent.name}:{seed}", split)) for seed in range(SEEDS)]


def test_every_family_is_here_and_names_are_unique() -> None:
    assert {intent.family for intent in INTENTS} == set(FAMILIES)
    assert len({intent.name for intent in INTENTS}) == len(INTENTS)


@EACH
def test_wordings(intent: Intent) -> None:
    assert len(intent.train) >= 8 and len(intent.val) >= 2 and len(intent.held) >= 3
    patterns = [*intent.train, *intent.val, *intent.held]
    assert len(set(patterns)) == len(patterns)
    for pattern in patterns:
        assert pattern[-1] not in ".!?," and pattern.count("[") == pattern.count("]")
        assert not re.search(r"[\[\]|]", expand(pattern, Draw(0, "train").rng))
        assert pattern[0] == "{" or not pattern[0].isupper()
    known = words([p for other in INTENTS for p in other.train])
    assert words([*intent.val, *intent.held]) <= known


@EACH
@pytest.mark.parametrize("split", SPLITS)
def test_scenes_build(intent: Intent, split: Split) -> None:
    for scene in drawn(intent, split):
        for pattern in (*intent.train, *intent.val, *intent.held):
            assert phrase(pattern, scene.slots, Draw(1, split).rng)
        folders = {item.path.split("/")[0] for item in scene.setup}
        assert all("/" in item.path for item in scene.setup), "scenes live in folders"
        assert len(folders) <= 2 and not any(name.startswith("test") for name in folders)
        assert all(len(item.text or "") <= WINDOW for item in scene.setup if "/test_" not in item.path)
        assert [ToolCall.model_validate(call) for call in scene.gold]


def test_held_out_compositions_never_reach_training() -> None:
    cells: dict[Split, set[tuple[str, ...]]] = {split: set() for split in SPLITS}
    for split in SPLITS:
        for seed in range(400):
            cells[split].add(composed(Draw(seed, split)).key)
    assert all(held_out(SALT, *key) for key in cells["test_composition"])
    for split in set(SPLITS) - {"test_composition"}:
        assert not any(held_out(SALT, *key) for key in cells[split])
    for axis in range(4):
        seen = {key[axis] for key in cells["train"] | cells["val"] | cells["test_names"]}
        assert {key[axis] for key in cells["test_composition"]} <= seen, "every part occurs in training"


@pytest.mark.parametrize("split", SPLITS)
def test_composed_code_means_what_its_reference_says(split: Split) -> None:
    for seed in range(250):
        function = composed(Draw(seed, split))
        assert answers(function.source("f"), function) == list(function.returns), function.source("f")
        assert answers(function.bare("f"), function) == list(function.returns)
        assert len({repr(value) for value in function.returns}) > 1
        for bug in function.bugs:
            wrong = answers(function.source("f", bug.body), function, VISIBLE)
            assert wrong != list(function.returns)[:VISIBLE], function.source("f", bug.body)


def test_classics_mean_what_their_references_say() -> None:
    seen = set()
    for seed in range(300):
        function = classic(Draw(seed, SPLITS[seed % 4]))
        seen.add(function.key[1])
        assert answers(function.source("f"), function) == list(function.returns), function.source("f")
        for bug in function.bugs:
            wrong = answers(function.source("f", bug.body), function, VISIBLE)
            assert wrong != list(function.returns)[:VISIBLE], function.source("f", bug.body)
    assert seen == {shape.key for shape in SHAPES}


def test_crashes_crash_and_their_fix_works() -> None:
    seen = set()
    for seed in range(400):
        made = crash(Draw(seed, SPLITS[seed % 5]))
        function = made.function
        seen.add(function.key[1])
        assert answers(function.source("f"), function) == list(function.returns), function.source("f")
        faulty = function.source("f", made.bug.body if made.bug else None)
        if made.bug is None:
            faulty = faulty.removeprefix(function.header)
        first = answers(faulty, function, 1)[0]
        assert isinstance(first, type) and issubclass(first, Exception), faulty
    assert {fault.key for fault in FAULTS} <= seen


def test_docstring_wordings_are_held_out() -> None:
    frames = composing.FRAMES
    assert not set(frames["held"]) & {*frames["train"], *frames["val"]}
    for shape in (*SHAPES, *FAULTS):
        assert len(set(shape.docs)) == len(shape.docs) >= 4
    known = {w for shape in (*SHAPES, *FAULTS) for doc in shape.docs[:-2] for w in re.findall("[a-z]+", doc.lower())}
    known |= {w for seed in range(600) for w in re.findall("[a-z]+", composed(Draw(seed, "train")).doc.lower())}
    for shape in (*SHAPES, *FAULTS):
        for doc in shape.docs[-2:]:
            assert set(re.findall("[a-z]+", doc.lower())) <= known, doc


@pytest.mark.parametrize("value", ['a "b"', "x\ny", [1, ("q",)], {"k": [None, True]}, (3, -4)])
def test_literals_read_back(value: object) -> None:
    assert module(f"x = {literal(value)}").x == value
    assert call("f", (value, 1)) == f"f({literal(value)}, 1)"


@EACH
def test_gold_solves_the_scene(intent: Intent, tmp_path: Path) -> None:
    """Through the real tools: the judge is not content at first, and is after the gold calls."""
    splits = [split for split in SPLITS if intent.cells or split != "test_composition"]
    split = splits[INTENTS.index(intent) % len(splits)]
    scene = intent.build(Draw(f"{intent.name}:solve", split))
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    sandbox = PlainSandbox(workspace, Limits())
    prepare_workspace(scene.setup, sandbox)
    tools = LocalToolbox(workspace, tmp_path / "state", sandbox)
    assert not all(result.ok for result in tools.verify([*scene.checks]))
    assert not tools.verify([scene.done])[0].ok
    for one in scene.gold:
        tools.execute(ToolCall.model_validate(one))
    for check, result in zip([scene.done, *scene.checks], tools.verify([scene.done, *scene.checks]), strict=True):
        assert result.ok, (check, result.detail)
    tools.close()
