"""No held-out wording, name, pair of steps, length or cell can reach a training episode."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from hybrid_agent.packs import joins, words
from hybrid_agent.packs.compose import make_task
from hybrid_agent.packs.draw import Draw, held_out
from hybrid_agent.packs.family import Intent
from hybrid_agent.packs.pack import SPLITS, Pack, load_pack
from hybrid_agent.packs.store import load_tasks
from hybrid_agent.types import Task

EPISODES = 1500
PACKS = ("os", "code")
SLOT = r"""(?:"[^"]*"|'[^']*'|`[^`]*`|[^\s'"`]+)"""


def as_regex(pattern: str) -> re.Pattern[str]:
    """A wording as a regular expression that matches every clause it can produce."""
    out = []
    for part in re.split(r"(\[[^\[\]]*\]|\{\w+\}|\s+)", pattern):
        if part.startswith("["):
            out.append("(?:" + "|".join(r"\s+".join(map(re.escape, a.split())) for a in part[1:-1].split("|")) + ")")
        elif part.startswith("{"):
            out.append(SLOT)
        elif part.isspace():
            out.append(r"\s*")
        else:
            out.append(re.escape(part))
    return re.compile("".join(out), re.IGNORECASE)


@pytest.fixture(scope="module", params=PACKS)
def pack(request: pytest.FixtureRequest) -> Pack:
    return load_pack(request.param)


@pytest.fixture(scope="module")
def training(pack: Pack) -> list[Task]:
    return [make_task(pack, "train", seed) for seed in range(EPISODES)]


def test_wordings_are_enough_and_disjoint(pack: Pack) -> None:
    by_family: dict[str, list[Intent]] = {}
    for intent in pack.intents:
        by_family.setdefault(intent.family, []).append(intent)
        assert len(intent.train) >= 7 and len(intent.val) >= 1 and len(intent.held) >= 3, intent.name
        assert not set(intent.held) & {*intent.train, *intent.val}, intent.name
    assert len(by_family) >= (24 if pack.settings.name == "os" else 6)


def test_a_held_wording_matches_itself() -> None:
    assert as_regex("[sort|order] {a} into {b}").fullmatch('order x.txt into "y z"')


def test_no_training_clause_has_a_held_out_wording(pack: Pack, training: list[Task]) -> None:
    held = {i.name: [as_regex(w) for w in (*i.held, *i.val)] for i in pack.intents}
    for task in training:
        clauses = task.gold[0].args["steps"]
        for name, clause in zip(task.intents, clauses, strict=True):
            matched = [r.pattern for r in held[name] if r.fullmatch(clause)]
            assert not matched, f"{task.id}: {clause!r} is a held-out wording of {name}"


def test_training_templates_name_only_training_wordings_and_joins(training: list[Task]) -> None:
    held_joins = {name for name, _ in joins.HELD}
    for task in training:
        wordings, _, join = task.template.rpartition(":")
        assert all("/train" in w for w in wordings.split("+")), task.template
        assert join not in held_joins


def test_no_held_out_pair_or_length_in_training(pack: Pack, training: list[Task]) -> None:
    longest = max(len(task.intents) for task in training)
    assert longest <= len(pack.settings.lengths) and longest != pack.settings.held_length
    by_name = {i.name: i for i in pack.intents}
    if pack.settings.composition == "steps":
        for task in training:
            for a, b in pairwise(task.intents):
                assert not pack.pair_held(by_name[a], by_name[b]), (task.id, a, b)


def test_stored_compositions_are_all_held_out(pack: Pack) -> None:
    by_name = {i.name: i for i in pack.intents}
    for task in load_tasks(pack.settings.name, "test_composition"):
        if pack.settings.composition == "steps":
            pairs = [pack.pair_held(by_name[a], by_name[b]) for a, b in pairwise(task.intents)]
            assert any(pairs), task.id
        else:
            assert by_name[task.intents[0]].cells, task.id


def test_cells_split_exactly() -> None:
    axes = ([f"r{i}" for i in range(12)], [f"c{i}" for i in range(12)])
    train = {Draw(s, "train").cell("t", *axes) for s in range(400)}
    held = {Draw(s, "test_composition").cell("t", *axes) for s in range(400)}
    assert train and held and not train & held
    assert all(held_out("t", *cell) for cell in held) and not any(held_out("t", *cell) for cell in train)


def test_held_out_names_never_appear_in_training(training: list[Task]) -> None:
    assert not set(words.TRAIN) & set(words.HELD)
    held = re.compile(r"(?<![a-z])(" + "|".join(words.HELD) + r")(?![a-z])")
    for task in training:
        found = held.search(task.model_dump_json())
        assert found is None, f"{task.id} holds the held-out word {found}"


def test_names_split_uses_held_out_names(pack: Pack) -> None:
    tasks = load_tasks(pack.settings.name, "test_names")
    held = [t for t in tasks if any(w in t.model_dump_json() for w in words.HELD)]
    assert len(held) >= 0.9 * len(tasks)


def test_stored_splits_are_large_enough_and_reproducible(pack: Pack) -> None:
    least = 150 if pack.settings.name == "os" else 60
    for split in SPLITS:
        tasks = load_tasks(pack.settings.name, split)
        assert len(tasks) >= least and len({t.goal for t in tasks}) == len(tasks)
        assert len({t.id for t in tasks}) == len(tasks)


def test_training_goals_are_not_stored_goals(pack: Pack, training: list[Task]) -> None:
    stored = {t.goal for split in SPLITS for t in load_tasks(pack.settings.name, split)}
    assert not stored & {t.goal for t in training}
