"""Cold memory: what is kept, how it is found, how trust grows and shrinks, and how everything can be taken back."""

from __future__ import annotations

import hashlib
import sqlite3
import stat
from pathlib import Path

import numpy as np
import pytest
from memory_parts import Clock, promoted, store, writing

from hybrid_agent.config.memory import MemoryConfig
from hybrid_agent.errors import InputError
from hybrid_agent.memory.db import FILE
from hybrid_agent.memory.store import ColdMemory

GOAL = "create a file called notes.txt with the text hello world"


def test_a_note_is_retrieved_only_after_it_was_promoted(tmp_path: Path) -> None:
    with store(tmp_path) as memory:
        entry = memory.add("pytest wants PYTHONPATH=src in this project", {"run": "r1"})
        assert (entry.status, entry.held) == ("quarantined", False)
        assert memory.retrieve("how do I call pytest here", 3) == []
        assert memory.approve(entry.id, by="ada").status == "promoted"
        assert memory.retrieve("how do I call pytest here", 3) == ["pytest wants PYTHONPATH=src in this project"]
        walked = [(change.version, change.status) for change in memory.history(entry.id)]
        assert walked == [(1, "candidate"), (2, "scanned"), (3, "quarantined"), (4, "promoted")]


def test_without_a_scanner_nothing_leaves_candidate(tmp_path: Path) -> None:
    with ColdMemory.open(tmp_path) as memory:
        entry = memory.add("anything", {})
        assert entry.status == "candidate"
        with pytest.raises(InputError, match="is candidate"):
            memory.approve(entry.id, by="ada")
        with pytest.raises(InputError, match="is candidate"):
            memory.tested(entry.id, True, "never ran")


def test_a_replay_promotes_or_rejects_and_a_rejected_one_stays_rejected(tmp_path: Path) -> None:
    with store(tmp_path) as memory:
        skill = memory.teach(GOAL, writing(GOAL, "notes.txt", "hello world"), {"run": "r1"})
        assert memory.tested(skill.id, False, "not verified").status == "rejected"
        again = memory.teach(GOAL, writing(GOAL, "notes.txt", "hello world"), {"run": "r2"})
        assert (again.id, again.status) == (skill.id, "rejected")
        with pytest.raises(InputError, match="is rejected"):
            memory.approve(skill.id, by="ada")
        assert memory.search(GOAL, 3, kind="skill") == []


def test_the_same_skill_learned_with_other_values_is_one_entry(tmp_path: Path) -> None:
    other = "create a file called a.txt with the text a much longer text than before"
    with store(tmp_path) as memory:
        first = memory.teach(GOAL, writing(GOAL, "notes.txt", "hello world"), {})
        second = memory.teach(other, writing(other, "a.txt", "a much longer text than before"), {})
        assert first.id == second.id


def test_score_is_similarity_times_freshness_times_success_times_domain(tmp_path: Path) -> None:
    clock = Clock()
    with store(tmp_path, clock, half_life_days=10, stale_floor=0.1, other_domain=0.5, least_score=0) as memory:
        entry = memory.add("sort the lines of names", {}, domain="os").id
        memory.approve(entry, by="ada")
        memory.outcome(entry, True)
        memory.outcome(entry, False)
        clock.pass_days(20)
        (hit,) = memory.search("sort the lines of names", 1, domain="code")
        assert hit.similarity == pytest.approx(1.0, abs=2e-3)  # stored in half precision
        assert hit.freshness == pytest.approx(0.25)
        assert hit.success == pytest.approx(3 / 5)  # (1 win + 2) / (1 win + 1 loss + 3)
        assert hit.domain == 0.5
        assert hit.score == pytest.approx(hit.similarity * 0.25 * 0.6 * 0.5)
        clock.pass_days(1000)
        memory.outcome(entry, False)
        assert memory.search("sort the lines of names", 1, domain="code") == []  # expired


@pytest.mark.parametrize("better", ["fresh", "proven", "of the domain"])
def test_each_factor_decides_between_two_notes_alike(tmp_path: Path, better: str) -> None:
    clock = Clock()
    with store(tmp_path, clock) as memory:
        bad = memory.add("count lines with wc -l", {}, domain="code" if better == "of the domain" else "os").id
        memory.approve(bad, by="ada")
        if better == "fresh":
            clock.pass_days(60)
        good = memory.add("count lines with wc  -l", {}, domain="os").id
        memory.approve(good, by="ada")
        if better == "proven":
            memory.outcome(bad, False)
        hits = memory.search("count lines with wc", 2, domain="os")
        assert [hit.entry.id for hit in hits] == [good, bad]


def test_strength_goes_up_down_and_fades_and_a_failing_skill_is_archived(tmp_path: Path) -> None:
    clock = Clock()
    rules = {"start": 0.6, "gain": 0.25, "loss": 0.5, "floor": 0.2, "half_life_days": 100}
    with store(tmp_path, clock, skills=rules) as memory:
        skill = memory.teach(GOAL, writing(GOAL, "notes.txt", "hello world"), {}).id
        memory.tested(skill, True, "verified")
        assert memory.outcome(skill, True).strength == pytest.approx(0.7)
        clock.pass_days(100)
        assert memory.outcome(skill, True).strength == pytest.approx(0.35 + 0.25 * 0.65)  # halved, then up
        assert memory.outcome(skill, False).status == "promoted"
        gone = memory.outcome(skill, False, "no such file")
        assert (gone.status, gone.wins, gone.losses) == ("archived", 2, 2)
        assert gone.reason == "kept failing: no such file"
        assert memory.search(GOAL, 3, kind="skill") == []
        # Learned anew it starts again, in quarantine; what a person archived does not.
        assert memory.teach(GOAL, writing(GOAL, "notes.txt", "hello world"), {}).status == "quarantined"
        memory.archive(skill, why="wrong")
        assert memory.teach(GOAL, writing(GOAL, "notes.txt", "hello world"), {}).status == "archived"


def test_what_expired_is_not_found_and_is_swept(tmp_path: Path) -> None:
    clock = Clock()
    with store(tmp_path, clock, ttl_days=30) as memory:
        old, useful = promoted(memory, "the old way to sort"), promoted(memory, "the useful way to sort")
        clock.pass_days(20)
        memory.outcome(useful, True)
        clock.pass_days(20)
        assert memory.retrieve("way to sort", 5) == ["the useful way to sort"]
        assert memory.sweep() == [old]
        assert memory.get(old).reason == "expired"


def test_every_change_can_be_taken_back(tmp_path: Path) -> None:
    with store(tmp_path) as memory:
        entry = promoted(memory, "use tar -xzf")
        memory.archive(entry, why="a mistake")
        assert memory.retrieve("use tar", 1) == []
        back = memory.rollback(entry)
        assert (back.status, back.version, back.reason) == ("promoted", 6, "rolled back to version 4")
        assert memory.retrieve("use tar", 1) == ["use tar -xzf"]
        assert memory.rollback(entry, 3).status == "quarantined"
        for wrong in (0, 99):
            with pytest.raises(InputError, match=f"no version {wrong}"):
                memory.rollback(entry, wrong)


def test_read_mode_finds_and_never_writes(tmp_path: Path) -> None:
    with store(tmp_path) as memory:
        entry = promoted(memory, "use tar -xzf")
    before = hashlib.sha256((tmp_path / FILE).read_bytes()).hexdigest()
    with store(tmp_path, mode="read") as memory:
        assert not memory.writable
        assert memory.retrieve("tar", 1) == ["use tar -xzf"]
        attempts = [
            lambda: memory.remember("x", {}),
            lambda: memory.teach(GOAL, writing(GOAL, "notes.txt", "hello world"), {}),
            lambda: memory.outcome(entry, True),
            lambda: memory.approve(entry, by="x"),
            lambda: memory.archive(entry, why="x"),
            lambda: memory.rollback(entry),
            lambda: memory.sweep(),
            lambda: memory.rebuild(),
        ]
        for attempt in attempts:
            with pytest.raises(InputError, match="read-only"):
                attempt()  # type: ignore[no-untyped-call]
        with pytest.raises(sqlite3.OperationalError):  # and SQLite would not let it either
            memory._db.run("DELETE FROM entries")
    assert hashlib.sha256((tmp_path / FILE).read_bytes()).hexdigest() == before


def test_reading_where_there_is_none_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no memory.*--memory"):
        ColdMemory.open(tmp_path / "nowhere", mode="read")
    assert not (tmp_path / "nowhere").exists()


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    with store(tmp_path / "m") as memory:
        memory.add("a", {})
        for path in [tmp_path / "m", *(tmp_path / "m").iterdir()]:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_file_is_said_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    for mode in ("read", "write"):
        with pytest.raises(InputError, match="not a memory, or damaged"):
            ColdMemory.open(tmp_path, mode=mode)  # type: ignore[arg-type]
    assert (tmp_path / FILE).read_bytes() == content


def test_another_programs_database_and_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    link = sqlite3.connect(tmp_path / "a" / FILE)
    link.execute("CREATE TABLE shopping(list)")
    link.commit()
    link.close()
    with pytest.raises(InputError, match="it is no memory"):
        ColdMemory.open(tmp_path / "a")
    with store(tmp_path / "b"):
        pass
    link = sqlite3.connect(tmp_path / "b" / FILE)
    link.execute("PRAGMA user_version = 2")
    link.close()
    with pytest.raises(InputError, match="its format is 2"):
        ColdMemory.open(tmp_path / "b")


def test_a_change_of_embedder_is_noticed_and_can_be_made(tmp_path: Path) -> None:
    with store(tmp_path) as memory:
        promoted(memory, "use tar -xzf")
    with pytest.raises(InputError, match="made with the embedder hashed:256"), store(tmp_path, embedder="hashed:64"):
        pass
    with ColdMemory.open(tmp_path, MemoryConfig(embedder="hashed:64"), reembed=True, clock=Clock()) as memory:
        assert memory.retrieve("use tar -xzf", 1) == ["use tar -xzf"]
        assert np.frombuffer(memory._db.rows("SELECT vector FROM vectors")[0][0], np.float16).shape == (64,)


@pytest.mark.parametrize(
    ("note", "provenance", "says"),
    [
        ("  ", {}, "empty"),
        ("x" * 8001, {}, "8001 characters"),
        ("fine", {f"k{n}": "v" for n in range(25)}, "25 fields"),
    ],
)
def test_what_cannot_be_kept_is_said(tmp_path: Path, note: str, provenance: dict[str, str], says: str) -> None:
    with store(tmp_path) as memory, pytest.raises(InputError, match=says):
        memory.add(note, provenance)


def test_odd_texts_are_kept_and_found(tmp_path: Path) -> None:
    with store(tmp_path) as memory:
        for number, note in enumerate(
            ["naïve café ☕ sorting", "lone \ud800 surrogate", "quote ' and \" and ; --", "日本語のメモ"]
        ):
            entry = memory.approve(memory.add(note, {"n": str(number)}).id, by="ada")
            assert memory.search(note, 1)[0].entry.id == entry.id
        assert memory.search("", 3) == memory.search("   ", 3) == []
        with pytest.raises(InputError, match="k is 0"):
            memory.search("x", 0)
