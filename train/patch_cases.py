"""Mutants as the patch loop would meet them: candidates, their features, and which of them undo the mutation."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_agent.swe.edits import Splice, same_key, spliced
from hybrid_agent.swe.features import Features, Floats
from hybrid_agent.swe.generators import OperatorGenerator, Problem
from hybrid_agent.swe.language import LocalStatistics, SharedStatistics
from hybrid_agent.swe.localise import Diagnosis, count_lines, spots, words_of
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.source import Source
from hybrid_agent.swe.testing import Failure

NEAR = 4  # lines; an edit further from the mutation cannot undo it


@dataclass
class Case:
    """One mutant. `fixes[i]` says that candidate i gives back the original's syntax tree."""

    target: str
    package: str
    operator: str
    lines: np.ndarray
    rows: Floats
    operators: list[str]
    fixes: np.ndarray
    spots: int


def cases(folder: Path, shared: SharedStatistics, most: int = 4000) -> Iterator[Case]:
    """All mutants of a split, target by target; what was worked out before is read from beside them."""
    for place in sorted(folder.glob("*.json")):
        kept = place.with_suffix(f".{most}.pickle")
        if kept.is_file() and kept.stat().st_mtime > place.stat().st_mtime:
            yield from pickle.loads(kept.read_bytes())  # our own file
            continue
        data = json.loads(place.read_text())
        found = [case(data, record, shared, most) for record in data["mutants"]]
        kept.write_bytes(pickle.dumps(found))
        yield from found


def case(data: dict[str, Any], record: dict[str, Any], shared: SharedStatistics, most: int) -> Case:
    """Build one case."""
    original, path = data["text"], data["path"]
    splices = [Splice(*each) for each in record["splices"]]
    source = Source(path, spliced(original, splices).encode())
    diagnosis = _diagnosis(data, record, path, original, splices)
    found = spots(diagnosis, {path: source}.get, {path}.__contains__)
    problem = Problem(found, diagnosis, {path: Scene(source)}.__getitem__, most=most)
    candidates = list(OperatorGenerator().propose(problem))
    features = Features({path: source}, diagnosis, found, LocalStatistics([source.text]), shared)
    rows, operators = features.rows(candidates)
    wanted = same_key({path: original})
    at = min(s.start for s in splices)
    changed = source.line_of(at)
    fixes = np.zeros(len(candidates), bool)
    for place, candidate in enumerate(candidates):
        touched = [source.line_of(s.start) for s in candidate.splices]
        if min(abs(line - changed) for line in touched) <= NEAR + sum(s.new.count("\n") for s in splices):
            text = candidate.apply(source.text)
            if text == original or (abs(len(text) - len(original)) < 40 and _maybe(text, original)):
                try:
                    fixes[place] = same_key({path: text}) == wanted
                except SyntaxError:
                    continue
    lines = np.array([candidate.line for candidate in candidates])
    rows = rows.astype(np.float16)
    return Case(data["target"], data["package"], record["operator"], lines, rows, operators, fixes, len(found))


def _maybe(text: str, original: str) -> bool:
    """Cheap test before trees are compared: equal but for blanks and brackets."""
    return _bare(text) == _bare(original)


def _bare(text: str) -> str:
    return text.translate({ord(each): None for each in " \t\r\n()'\",;"})


def _diagnosis(
    data: dict[str, Any], record: dict[str, Any], path: str, original: str, splices: list[Splice]
) -> Diagnosis:
    """What the tests said of the mutant; passing tests' lines are those of the original, moved with the text."""
    first = original.count("\n", 0, min(s.start for s in splices)) + 1
    grown = sum(s.new.count("\n") - original.count("\n", s.start, s.end) for s in splices)
    failed = set(record["failed_tests"])
    passing = [
        {path: [line if line <= first else max(first, line + grown) for line in lines]}
        for test, lines in data["lines"].items()
        if test not in failed
    ]
    failures = [
        Failure(kind, message, tuple((p, n, f) for p, n, f in frames)) for kind, message, frames in record["failures"]
    ]
    words = Counter(word for test in record["chosen"] for word in words_of(test.replace("::", ".").rpartition(".")[2]))
    return Diagnosis(failures, record["lines"], count_lines(passing), len(passing), words)
