"""What edits would change, looked at in the states that a test reaches."""

from __future__ import annotations

import runpy
import threading
from pathlib import Path

import numpy as np
import pytest

from hybrid_agent.swe import inside_probes
from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.operators import all_edits
from hybrid_agent.swe.probes import ALL, DOUBTFUL, RISKY, SAFE, SOME, UNKNOWN, USELESS, Findings, Probe, probes_of
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.search import Queue
from hybrid_agent.swe.source import Source

CODE = """\
MARK = object()


def newest(entries, count):
    if count > 3:
        entries = entries[:3]
    return entries[-count:]


def drop(table, name):
    table.pop((name, MARK), None)
    return len(table)
"""


def probe(edits: list[Edit], wanted: str) -> tuple[int, Probe]:
    """The edit after which the code holds `wanted`, and its probe."""
    source = Source("m.py", CODE.encode())
    at = next(place for place, each in enumerate(edits) if wanted in each.apply(CODE))
    found = {each.number: each for each in probes_of(edits, {"m.py": source})}
    return at, found[at]


@pytest.fixture
def edits() -> list[Edit]:
    source = Source("m.py", CODE.encode())
    return list(all_edits(Scene(source), range(1, len(source.starts) + 1)))


def look(edits: list[Edit], tmp_path: Path, calls: dict[str, str]) -> Findings:
    """Findings of calls that stand for tests; the one named `bad` is the failing one."""
    (tmp_path / "m.py").write_text(CODE)
    space = runpy.run_path(str(tmp_path / "m.py"))
    asked = [each.row() for each in probes_of(edits, {"m.py": Source("m.py", CODE.encode())})]
    prober = inside_probes.Prober(asked, ["bad"], lambda name: Path(name).name, 60.0)
    answers = {}
    for name, call in calls.items():
        prober.start(name)
        try:
            eval(call, space)  # noqa: S307  (written above)
        finally:
            answers[name] = prober.stop()
    assert threading.gettrace() is None
    return Findings.of(answers)


def test_only_what_changes_the_failing_state_is_left(edits: list[Edit], tmp_path: Path) -> None:
    told = look(edits, tmp_path, {"bad": "newest([1, 2], 0)", "good": "newest([1, 2], 1)"})
    asked = probes_of(edits, {"m.py": Source("m.py", CODE.encode())})
    shifts = told.shifts(len(edits), [each.number for each in asked], ["bad"])
    fix, _ = probe(edits, "entries[len(entries) - count:]")
    useless, _ = probe(edits, "if count >= 3:")
    risky, _ = probe(edits, "return entries[:-count]")
    assert shifts[fix] == pytest.approx(ALL + SAFE)  # other values in the failing test, the same in the other
    assert shifts[useless] == pytest.approx(USELESS)
    assert shifts[risky] == pytest.approx(ALL + RISKY)


def test_effects_are_seen_and_leave_the_state_alone(edits: list[Edit], tmp_path: Path) -> None:
    told = look(edits, tmp_path, {"bad": "drop({('a', MARK): 1, ('b', MARK): 2}, 'a')"})
    other, made = probe(edits, "table.get((name, MARK), None)")
    assert made.kind == "both"
    same, drops, raises, *_ = told.tests["bad"][other]
    assert (same, drops, raises) == (0, 1, 0)  # nothing is taken out; the marker of the copy is the marker
    away, made = probe(edits, "def drop(table, name):\n    return len(table)")
    assert made.kind == "effect"
    assert told.tests["bad"][away][1] == 1


def test_the_test_itself_goes_on_as_if_nothing_had_been(tmp_path: Path, edits: list[Edit]) -> None:
    (tmp_path / "m.py").write_text(CODE)
    space = runpy.run_path(str(tmp_path / "m.py"))
    table = {("a", space["MARK"]): 1, ("b", space["MARK"]): 2}
    asked = [each.row() for each in probes_of(edits, {"m.py": Source("m.py", CODE.encode())})]
    prober = inside_probes.Prober(asked, ["bad"], lambda name: Path(name).name, 60.0)
    prober.start("bad")
    try:
        left = space["drop"](table, "a")
    finally:
        prober.stop()
    assert left == 1
    assert list(table.values()) == [2]


def test_edits_that_do_the_same_are_of_one_class(edits: list[Edit], tmp_path: Path) -> None:
    told = look(edits, tmp_path, {"bad": "newest([1, 2], 0)"})
    asked = probes_of(edits, {"m.py": Source("m.py", CODE.encode())})
    classes = told.classes(asked, ["bad"])
    one, _ = probe(edits, "entries[len(entries) - count:]")
    other, _ = probe(edits, "entries[max(len(entries) - count, 0):]")
    different, _ = probe(edits, "return entries[count:]")
    assert classes[one] == classes[other] != classes[different]


def test_a_class_that_failed_waits() -> None:
    edits = [Edit("m.py", (), f"name.{at}", at + 1) for at in range(3)]
    energy = np.array([0.0, 0.1, 0.2], np.float32)
    alike = ("m.py", 1, "value", "", (7,))
    queue = Queue(edits, energy, classes={0: alike, 1: alike})
    first = queue.take()
    assert first is edits[0]
    queue.learn(first, helped=False)
    assert queue.take() is edits[2]


def test_nothing_seen_is_no_proof_where_states_were_left_out() -> None:
    told = Findings({"a": {0: (2, 0, 0, 5, 0), 1: (2, 0, 0, 5, 1)}})
    assert told.shifts(2, [0, 1], ["a"]).tolist() == [USELESS, DOUBTFUL]


def test_partial_change_counts_less_than_a_change_in_all_failing_tests() -> None:
    told = Findings({"a": {0: (0, 1, 0, 5, 0), 1: (0, 1, 0, 5, 0)}, "b": {0: (0, 2, 0, 6, 0), 1: (3, 0, 0, 7, 0)}})
    shifts = told.shifts(3, [0, 1], ["a", "b"])
    assert shifts[0] < shifts[1]
    assert shifts[1] > SOME + SAFE
    assert shifts[2] == pytest.approx(UNKNOWN)
