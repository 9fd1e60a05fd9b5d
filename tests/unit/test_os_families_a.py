"""The OS families of file work: every intent builds, its wordings are many, distinct and recombine known words."""

from __future__ import annotations

import importlib
import itertools
import json
import re
from typing import get_args

import pytest

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent
from hybrid_agent.packs.wording import phrase
from hybrid_agent.tools.registry import parse_call
from hybrid_agent.types import Split

FAMILIES = (
    "files folders copying moving removing finding sorting counting replacing extracting archives permissions links "
    "csv_files logs"
).split()
INTENTS: list[Intent] = [
    intent for family in FAMILIES for intent in importlib.import_module(f"task_packs.os.families.{family}").INTENTS
]
SLOT = re.compile(r"\{(\w+)\}")
CHOICE = re.compile(r"\[([^\[\]]*)\]")
EACH = pytest.mark.parametrize("intent", INTENTS, ids=lambda i: i.name)


def wordings(intent: Intent) -> list[str]:
    return [*intent.train, *intent.val, *intent.held]


def expansions(pattern: str) -> set[str]:
    """Every sentence a pattern stands for, slots kept."""
    parts = CHOICE.split(pattern)
    axes = [part.split("|") if index % 2 else [part] for index, part in enumerate(parts)]
    return {re.sub(r" {2,}", " ", "".join(choice)).strip() for choice in itertools.product(*axes)}


def content_words(patterns: list[str]) -> set[str]:
    return {word for p in patterns for word in re.findall(r"[a-z]+", SLOT.sub(" ", p).lower())}


def test_every_family_is_here() -> None:
    assert {intent.family for intent in INTENTS} == set(FAMILIES)
    names = [intent.name for intent in INTENTS]
    assert len(names) == len(set(names))


@EACH
def test_wordings_are_many_and_well_formed(intent: Intent) -> None:
    assert len(intent.train) >= 8
    assert len(intent.val) >= 2
    assert len(intent.held) >= 3
    slots = set(SLOT.findall(intent.train[0]))
    for pattern in wordings(intent):
        assert pattern[-1] not in ".!?,"
        assert set(SLOT.findall(pattern)) == slots, pattern
        for sentence in expansions(pattern):
            assert "  " not in sentence
            assert not re.search(r"[\[\]|]", sentence)
            # A clause that opens with a name keeps its case; the engine sees that from the pattern's first letter.
            assert sentence.startswith("{") == pattern.startswith("{"), pattern


@EACH
@pytest.mark.parametrize("split", get_args(Split))
def test_scenes_build(intent: Intent, split: Split) -> None:
    for seed in range(30):
        draw = Draw(seed, split)
        scene = intent.build(draw)
        for pattern in wordings(intent):
            assert set(SLOT.findall(pattern)) <= set(scene.slots)
        goal = phrase(intent.train[0], scene.slots, draw.rng)
        assert all(slot.value in goal for slot in scene.slots.values())
        calls = [parse_call(call) for call in scene.gold]
        assert [json.dumps(call.args) for call in calls] == [json.dumps(call["args"]) for call in scene.gold]
        assert 1 <= len(calls) <= 4
        assert scene.checks
        removes = any(
            c.args.get("op") == "remove" or re.search(r"\brm\b|-delete\b", str(c.args.get("cmd"))) for c in calls
        )
        assert scene.destructive == removes
        paths = [item.path for item in scene.setup]
        assert len(paths) == len(set(paths))
        values = [slot.value for key, slot in scene.slots.items() if slot.kind == "name" and key != "word"]
        assert len(values) == len(set(values))


@EACH
def test_scenes_are_reproducible(intent: Intent) -> None:
    assert intent.build(Draw(7, "train")) == intent.build(Draw(7, "train"))
    assert any(intent.build(Draw(7, "train")) != intent.build(Draw(seed, "train")) for seed in range(8, 12))


def test_held_words_occur_in_training() -> None:
    known = content_words([pattern for intent in INTENTS for pattern in intent.train])
    unknown = {
        intent.name: sorted(content_words([*intent.val, *intent.held]) - known)
        for intent in INTENTS
        if content_words([*intent.val, *intent.held]) - known
    }
    assert not unknown


def test_no_wording_is_shared() -> None:
    """Neither between intents (a goal has one meaning) nor between the splits of an intent."""
    seen: dict[str, tuple[str, str]] = {}
    shared = []
    for intent in INTENTS:
        for split in ("train", "val", "held"):
            for pattern in getattr(intent, split):
                for sentence in expansions(pattern):
                    blank = SLOT.sub("_", sentence)
                    if seen.setdefault(blank, (intent.name, split)) != (intent.name, split):
                        shared.append((sentence, seen[blank], (intent.name, split)))
    assert not shared


def test_failures_to_recover_from() -> None:
    """At least eight intents have scenes whose gold is longer because a call fails first."""
    recovering = {
        intent.name
        for intent in INTENTS
        for seed in range(30)
        if len({len(intent.build(Draw(s, "train")).gold) for s in (seed, 0, 1, 2, 3)}) > 1
    }
    assert len(recovering) >= 8
