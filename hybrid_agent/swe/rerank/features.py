"""Figures of each patch among the candidates of one instance.

What was not looked at (no repository, no test run) is 0, between "no" (-1) and "yes" (1), so that one set of weights
serves pools with and without a repository.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.swe.rerank.diff import PatchView, read_patch

Floats = NDArray[np.float64]

NAMES = (
    "empty",  # no patch at all
    "malformed",  # not a diff, or one whose hunks do not count up
    "applies",  # -1, 0, 1: `git apply --check` on the base commit
    "parses",  # -1, 0, 1: every Python file that it touches still compiles
    "no_code",  # only comments or layout change
    "touches_tests",  # share of its files that are tests
    "lines",  # log(1 + changed lines)
    "files",  # log(1 + files)
    "hunks",  # log(1 + hunks)
    "debris",  # prints left in, new files at the top of the repository
    "same",  # share of the other candidates that change the same in the same place
    "likeness",  # mean Jaccard similarity of its tokens with the others'
    "same_files",  # mean Jaccard similarity of its files with the others'
    "statement",  # weighted share of its tokens that the statement has
    "names_file",  # the statement names one of its files or modules
    "names_symbol",  # the statement names a function or class around it
    "broken",  # log(1 + tests that passed before and fail now)
    "clean",  # -1, 0, 1: tests were run and none broke
    "fixed",  # -1, 0, 1: share of the failing tests that pass now, rescaled
)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\d+|[^\sA-Za-z0-9_]+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DEFINITION = re.compile(r"^\s*(?:async\s+def|def|class)\s+(\w+)")
_PRINT = re.compile(r"^\s*(print\(|import pdb|breakpoint\(|console\.log\()")


@dataclass(frozen=True)
class Evidence:
    """What was found out about a patch in its repository; None: not looked at.

    Attributes:
        applies: to the base commit.
        parses: every Python file that it touches compiles.
        broken: tests that passed before and do not with the patch.
        fixed: tests that failed before and pass with it.
        failing: tests that failed before.
        symbols: functions and classes around the changed lines.
    """

    applies: bool | None = None
    parses: bool | None = None
    broken: int | None = None
    fixed: int | None = None
    failing: int | None = None
    symbols: tuple[str, ...] = ()


def pool_features(patches: Sequence[str], statement: str = "", evidence: Sequence[Evidence] | None = None) -> Floats:
    """Figures of the candidates of one instance, shape [candidates, len(NAMES)].

    Args:
        patches: unified diffs; an empty text is a candidate too.
        statement: what is wrong, in words.
        evidence: of each candidate, if the repository was there.
    """
    views = [read_patch(patch) for patch in patches]
    told = list(evidence) if evidence is not None else [Evidence()] * len(patches)
    bags = [_bag(view) for view in views]
    words = _words(statement)
    rows = [
        _own(view, patch, seen) + _others(n, views, bags) + _text(view, seen, statement, words) + _tests(seen)
        for n, (view, patch, seen) in enumerate(zip(views, patches, told, strict=True))
    ]
    return np.array(rows, dtype=np.float64).reshape(len(patches), len(NAMES))


def _own(view: PatchView, patch: str, seen: Evidence) -> list[float]:
    empty = not patch.strip()
    tests = sum(file.is_test for file in view.files) / len(view.files) if view.files else 0.0
    debris = any(_PRINT.match(line) for line in view.added) or any(f.new and "/" not in f.path for f in view.files)
    return [
        float(empty),
        float(not empty and not view.sound),
        _three(seen.applies),
        _three(seen.parses),
        float(not empty and view.sound and not view.changes_code),
        tests,
        math.log1p(len(view.added) + len(view.removed)),
        math.log1p(len(view.files)),
        math.log1p(sum(len(file.hunks) for file in view.files)),
        float(debris),
    ]


def _others(number: int, views: Sequence[PatchView], bags: Sequence[Counter[str]]) -> list[float]:
    mine = views[number]
    others = [n for n in range(len(views)) if n != number and views[n].files]
    if not others or not mine.files:
        return [0.0, 0.0, 0.0]
    paths = {file.path for file in mine.files}
    same = sum(views[n].change == mine.change for n in others) / len(others)
    like = sum(_jaccard(bags[number], bags[n]) for n in others) / len(others)
    places = [{file.path for file in views[n].files} for n in others]
    return [same, like, sum(len(paths & place) / len(paths | place) for place in places) / len(others)]


def _text(view: PatchView, seen: Evidence, statement: str, words: Counter[str]) -> list[float]:
    if not statement.strip() or not view.files:
        return [0.0, 0.0, 0.0]
    inside = [hunk for file in view.files for hunk in file.hunks]
    lines = [line for hunk in inside for line in (*hunk.added, *hunk.removed, *hunk.context)]
    tokens = _words("\n".join([*(file.path for file in view.files), *lines]))
    weight = {token: 1 / math.log(2 + count) for token, count in tokens.items()}
    total = sum(weight.values())
    shared = sum(value for token, value in weight.items() if token in words) / total if total else 0.0
    lowered = statement.lower()
    stems = {part for file in view.files for part in _modules(file.path)}
    around = [*seen.symbols, *(line for hunk in inside for line in (hunk.section, *hunk.context))]
    symbols = set(seen.symbols) | {m[1] for line in around if (m := _DEFINITION.match(line))}
    named = set(_IDENTIFIER.findall(statement))
    return [shared, float(any(stem in lowered for stem in stems)), float(bool(symbols & named))]


def _tests(seen: Evidence) -> list[float]:
    if seen.broken is None:
        return [0.0, 0.0, 0.0]
    fixed = 2 * (seen.fixed or 0) / seen.failing - 1 if seen.failing else 0.0
    return [math.log1p(seen.broken), 1.0 if seen.broken == 0 else -1.0, fixed]


def _modules(path: str) -> list[str]:
    stem = path.rsplit("/", 1)[-1].rsplit(".", 1)[0].lower()
    return [path.lower()] + ([stem] if len(stem) > 3 and stem != "__init__" else [])


def _bag(view: PatchView) -> Counter[str]:
    marked = [("+", view.added), ("-", view.removed)]
    return Counter(mark + token for mark, lines in marked for line in lines for token in _WORD.findall(line))


def _jaccard(one: Counter[str], other: Counter[str]) -> float:
    union = (one | other).total()
    return (one & other).total() / union if union else 1.0


def _words(text: str) -> Counter[str]:
    """Words of identifiers and prose, in lower case: `maxSize` and `max_size` give max and size."""
    return Counter(part.lower() for word in _IDENTIFIER.findall(text) for part in _PARTS.findall(word) if len(part) > 2)


def _three(value: bool | None) -> float:
    return 0.0 if value is None else 1.0 if value else -1.0
