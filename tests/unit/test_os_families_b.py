"""The OS families of configuration, development and operation: every intent builds and is worded fairly."""

from __future__ import annotations

import importlib
import itertools
import re
from typing import get_args

import pytest

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent
from hybrid_agent.packs.pack import load_pack
from hybrid_agent.packs.wording import phrase
from hybrid_agent.tools.registry import call_json, parse_call
from hybrid_agent.types import Split

FAMILIES = (
    "json_files ini_files yaml_files env_files git_repos scripts virtualenvs makefiles dockerfiles compose_files "
    "crontabs services processes checksums ambiguous"
).split()
INTENTS: list[Intent] = [
    intent for family in FAMILIES for intent in importlib.import_module(f"task_packs.os.families.{family}").INTENTS
]
SLOT = re.compile(r"\{(\w+)\}")
CHOICE = re.compile(r"\[([^\[\]]*)\]")
PAIR = {
    "ini_set": {"key", "value"},
    "env_set": {"var", "value"},
    "docker_env": {"var", "value"},
    "unit_restart": {"new"},
}
EACH = pytest.mark.parametrize("intent", INTENTS, ids=lambda i: i.name)


def expansions(pattern: str) -> set[str]:
    """Every sentence a pattern stands for, slots kept."""
    axes = [part.split("|") if index % 2 else [part] for index, part in enumerate(CHOICE.split(pattern))]
    return {re.sub(r" {2,}", " ", "".join(choice)).strip() for choice in itertools.product(*axes)}


def said(intent: Intent, pattern: str) -> set[str]:
    """The values a wording gives; a slot `pair` ("PORT=80") stands for its parts."""
    return {part for slot in SLOT.findall(pattern) for part in (PAIR[intent.name] if slot == "pair" else {slot})}


def content_words(patterns: list[str]) -> set[str]:
    return {word for each in patterns for word in re.findall(r"[a-z]+", SLOT.sub(" ", each).lower())}


def test_every_family_is_here() -> None:
    assert {intent.family for intent in INTENTS} == set(FAMILIES)
    names = [intent.name for intent in load_pack("os").intents]
    assert len(names) == len(set(names))


@EACH
def test_wordings_are_many_and_well_formed(intent: Intent) -> None:
    assert len(intent.train) >= 8
    assert len(intent.val) >= 2
    assert len(intent.held) >= 3
    slots = said(intent, intent.train[0])
    assert slots == set(intent.build(Draw(0, "train")).slots) - {"pair"}
    for pattern in (*intent.train, *intent.val, *intent.held):
        assert said(intent, pattern) == slots, pattern
        assert pattern[-1] not in ".!?,:;"
        assert "  " not in pattern
        for sentence in expansions(pattern):
            assert not re.search(r"[\[\]|]", sentence), pattern
            assert sentence[0] in "{I" or sentence[0].islower(), pattern


@EACH
@pytest.mark.parametrize("split", get_args(Split))
def test_scenes_build(intent: Intent, split: Split) -> None:
    for seed in range(30):
        draw = Draw(seed, split)
        scene = intent.build(draw)
        goal = phrase(intent.train[0], scene.slots, draw.rng)
        assert all(slot.value in goal for key, slot in scene.slots.items() if key != "pair")
        for call in scene.gold:
            parsed = parse_call(call)
            assert parsed.args == call["args"]
            assert list(parsed.args) == list(call["args"])
            assert len(call_json(parsed)) <= 260
        assert 1 <= len(scene.gold) <= 3
        assert scene.checks
        values = [slot.value for slot in scene.slots.values() if slot.kind == "name"]
        assert len(values) == len(set(values))
        assert not any("'" in slot.value or '"' in slot.value for slot in scene.slots.values())


@EACH
def test_scenes_are_reproducible(intent: Intent) -> None:
    assert intent.build(Draw(7, "train")) == intent.build(Draw(7, "train"))
    assert any(intent.build(Draw(7, "train")) != intent.build(Draw(seed, "train")) for seed in range(8, 12))


def test_scenes_combine() -> None:
    """All of them in one workspace: no scene writes what another one starts from."""
    for seed in range(3):
        draw = Draw(seed, "train")
        paths = [
            item.path
            for intent in INTENTS
            for item in {i.path: i for i in intent.build(draw).setup if i.run is None}.values()
        ]
        assert len(paths) == len(set(paths))


def test_unclear_goals_only_ask() -> None:
    asking = [intent for intent in INTENTS if "ask" in intent.tags]
    assert len(asking) >= 2
    for intent in asking:
        assert intent.solo
        assert [call["tool"] for call in intent.build(Draw(1, "train")).gold] == ["ask"]


def test_held_words_occur_in_training() -> None:
    known = content_words([pattern for intent in INTENTS for pattern in intent.train])
    unknown = {
        intent.name: sorted(new) for intent in INTENTS if (new := content_words([*intent.val, *intent.held]) - known)
    }
    assert not unknown


def test_no_wording_is_shared() -> None:
    """Neither with any intent of the pack (a goal has one meaning) nor between the splits of an intent.

    The files' formats are told by their names, so what is shared must be shared in its slots' names too.
    """
    ours = {intent.name for intent in INTENTS}
    seen: dict[str, tuple[str, str]] = {}
    shared = []
    for intent in load_pack("os").intents:
        for split in ("train", "val", "held"):
            for sentence in {s for pattern in getattr(intent, split) for s in expansions(pattern)}:
                blank = SLOT.sub("_", sentence).lower()
                first = seen.setdefault(blank, (intent.name, split))
                if first != (intent.name, split) and {first[0], intent.name} & ours:
                    shared.append((sentence, first, (intent.name, split)))
    assert not shared


def test_failures_to_recover_from() -> None:
    """At least six intents have scenes with a failing call, what is done about it, and the call again."""
    lengths = {i.name: {len(i.build(Draw(seed, "train")).gold) for seed in range(30)} for i in INTENTS}
    assert sum(len(found) > 1 for found in lengths.values()) >= 6
