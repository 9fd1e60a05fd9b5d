"""The order of candidates, pairs of edits, and the trained ranker."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from hybrid_agent.swe.checks import Checker
from hybrid_agent.swe.edits import Edit, Patch, Splice, patched
from hybrid_agent.swe.energy import load_energy, pack, unpack
from hybrid_agent.swe.features import Features, columns
from hybrid_agent.swe.generators import OperatorGenerator, Problem
from hybrid_agent.swe.language import LocalStatistics
from hybrid_agent.swe.localise import Diagnosis, count_lines, spots
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.search import Queue, Search, Trial
from hybrid_agent.swe.source import Source
from hybrid_agent.swe.testing import Failure

TEXT = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"


def replaced(old: str, new: str) -> Edit:
    """An edit of TEXT."""
    at = TEXT.index(old)
    return Edit("m.py", (Splice(at, at + len(old), new),), "number.other", TEXT[:at].count("\n") + 1)


def run_of(patch: Patch) -> dict[str, object]:
    """What the functions of the patched module return."""
    space: dict[str, object] = {}
    exec(patched(patch, {"m.py": Source("m.py", TEXT.encode())})["m.py"], space)  # noqa: S102
    return {name: space[name]() for name in ("one", "two")}  # type: ignore[operator]


def search(wanted: dict[str, object], edits: list[Edit], runs: int = 50) -> tuple[Trial | None, int]:
    """Search for a patch whose functions return what is wanted; also the number of trials."""
    count = 0

    def trial(patch: Patch) -> Trial:
        nonlocal count
        count += 1
        got = run_of(patch)
        fixed = frozenset(name for name in wanted if got[name] == wanted[name])
        return Trial(patch, len(fixed) == len(wanted), fixed)

    queue = Queue(edits, np.arange(len(edits), dtype=np.float32))
    found = Search(queue, Checker({"m.py": Source("m.py", TEXT.encode())}), trial, lambda: count < runs).run()
    return found, count


EDITS = [replaced("return 2", f"return {n}") for n in (5, 6, 20)] + [
    replaced("return 1", f"return {n}") for n in (7, 10)
]


def test_one_edit_is_enough() -> None:
    found, count = search({"two": 20}, EDITS)
    assert found is not None and found.patch == (EDITS[2],)
    assert count == 3


def test_two_edits_when_one_is_not_enough() -> None:
    found, _ = search({"one": 10, "two": 20}, EDITS)
    assert found is not None
    assert set(found.patch) == {EDITS[2], EDITS[4]}


def test_it_stops_when_nothing_is_left_or_runs_are_used_up() -> None:
    assert search({"one": 99}, EDITS) == (None, len(EDITS))
    assert search({"one": 99}, EDITS, runs=2) == (None, 2)


def test_orders() -> None:
    energy = np.array([2.0, 0.0, 1.0], np.float32)
    edits = EDITS[:3]
    assert [Queue(edits, energy).take(), Queue(edits, energy, "operator").take()] == [edits[1], edits[0]]
    drawn = Counter(edits.index(Queue(edits, None, "random", seed).take() or edits[0]) for seed in range(60))
    assert set(drawn) == {0, 1, 2}
    queue = Queue(edits, energy)
    assert [queue.take() for _ in range(4)] == [edits[1], edits[2], edits[0], None]


def test_a_failed_try_moves_its_line_back() -> None:
    edits = [EDITS[0], EDITS[1], EDITS[3]]
    queue = Queue(edits, np.array([0.0, 0.1, 0.2], np.float32))
    first = queue.take()
    assert first is edits[0]
    queue.learn(edits[0], helped=False)
    assert queue.take() is edits[2]


def test_packed_weights_come_back() -> None:
    array = np.array([[0.5, -1.25], [3.0, 0.0]], np.float32)
    assert (unpack(pack(array)) == array).all()


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("for i in range(len(values)):", "for i in range(len(values) + 1):"),
        ("total += values[i] * weights[i]", "total += values[i] * weights[total]"),
        ("if total < limit:", "if total > limit:"),
    ],
)
def test_the_ranker_finds_plain_faults_soon(good: str, bad: str) -> None:
    right = (
        "def weigh(values, weights, limit):\n    total = 0\n    for i in range(len(values)):\n"
        "        total += values[i] * weights[i]\n    if total < limit:\n        return total\n    return limit\n"
    )
    assert right.count(good) == 1
    source = Source("m.py", right.replace(good, bad).encode())
    lines = [2, 3, 4, 5, 6]
    diagnosis = Diagnosis([Failure("AssertionError", "3 != 4")], [{"m.py": lines}], count_lines([{"m.py": [2]}]), 1)
    found = spots(diagnosis, {"m.py": source}.get, lambda path: True)
    problem = Problem(found, diagnosis, {"m.py": Scene(source)}.__getitem__)
    candidates = list(OperatorGenerator().propose(problem))
    energy = load_energy()
    features = Features({"m.py": source}, diagnosis, found, LocalStatistics([source.text]), energy.shared)
    rows, operators = features.rows(candidates)
    assert rows.shape == (len(candidates), len(columns()))
    order = np.argsort(energy.of(rows, operators))
    place = next(at for at, each in enumerate(order, 1) if candidates[each].apply(source.text) == right)
    assert place <= len(candidates) / 4
