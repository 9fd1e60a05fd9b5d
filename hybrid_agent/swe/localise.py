"""Where the fault may be: coverage of failing against passing tests, tracebacks, and words of the issue.

The suspicion of a line is Ochiai's coefficient, failed(line) / sqrt(failed * (failed(line) + passed(line))), counted
over tests (Abreu, Zoeteweij, van Gemund, TAIC PART 2007). Lines of functions that a traceback names get a share more.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from hybrid_agent.swe.source import Source
from hybrid_agent.swe.testing import Failure, TestRun

WORD = re.compile(r"[A-Za-z][a-z0-9]+|[A-Z]+(?![a-z])|\d+")
PARTLY = 0.3  # share of its suspicion that a statement keeps when some failing tests do not run it
Lines = Mapping[str, Sequence[int]]


@dataclass
class Diagnosis:
    """All that is known of the fault before any edit is tried.

    Attributes:
        failures: of the failing tests.
        failing_lines: executed lines of each failing test, path -> lines.
        passing: path -> line -> how many passing tests ran it.
        passed: number of passing tests that were traced.
        words: words of the statement, the failing tests' names and their source, lower case.
    """

    failures: list[Failure] = field(default_factory=list)
    failing_lines: list[Lines] = field(default_factory=list)
    passing: dict[str, Counter[int]] = field(default_factory=dict)
    passed: int = 0
    words: Counter[str] = field(default_factory=Counter)

    @cached_property
    def failing(self) -> dict[str, Counter[int]]:
        """Path -> line -> how many failing tests ran it."""
        return count_lines(self.failing_lines)

    def ochiai(self, path: str, line: int) -> float:
        """Suspicion of one line, 0 to 1."""
        failed = self.failing.get(path, Counter())[line]
        if not failed:
            return 0.0
        passed = self.passing.get(path, Counter())[line]
        return failed / math.sqrt(len(self.failing_lines) * (failed + passed))

    def partly(self, path: str, lines: Iterable[int]) -> bool:
        """True when some failing tests run none of the lines: a change there alone cannot make all of them pass."""
        ran = self.failing.get(path, Counter())
        return max((ran[line] for line in lines), default=0) < len(self.failing_lines)

    @cached_property
    def frames(self) -> dict[tuple[str, int], int]:
        """(path, line) -> how far from the innermost frame of the repository a traceback has it (0: innermost)."""
        found: dict[tuple[str, int], int] = {}
        for failure in self.failures:
            for depth, (path, line, _) in enumerate(reversed(failure.frames)):
                found[path, line] = min(depth, found.get((path, line), 99))
        return found


@dataclass(frozen=True)
class Spot:
    """One suspicious line. `score` orders lines; `ochiai` is the plain coefficient."""

    path: str
    line: int
    score: float
    ochiai: float


def diagnose(traced: TestRun, failing: Sequence[str], words: Counter[str]) -> Diagnosis:
    """Sort a traced run into failing and passing tests."""
    wanted = [test for test in failing if test in traced.outcomes]
    passing = [lines for test, lines in traced.lines.items() if traced.outcomes.get(test) == "passed"]
    return Diagnosis(
        failures=[traced.failures[test] for test in wanted if test in traced.failures],
        failing_lines=[traced.lines[test] for test in wanted if test in traced.lines],
        passing=count_lines(passing),
        passed=len(passing),
        words=words,
    )


def count_lines(runs: Iterable[Lines]) -> dict[str, Counter[int]]:
    """Path -> line -> in how many of the runs."""
    found: dict[str, Counter[int]] = {}
    for lines in runs:
        for path, numbers in lines.items():
            found.setdefault(path, Counter()).update(numbers)
    return found


def spots(
    diagnosis: Diagnosis,
    source_of: Callable[[str], Source | None],
    editable: Callable[[str], bool],
    most: int = 400,
    extra: Iterable[str] = (),
) -> list[Spot]:
    """Suspicious lines of files that may be edited, worst first.

    Lines at the top of a module or a class run when it is imported, outside any test: they get the share of the least
    suspicious lines of their file. `extra` are files to look at when neither coverage nor tracebacks name any.
    """
    paths = {path for path in (*diagnosis.failing, *(path for path, _ in diagnosis.frames), *extra) if editable(path)}
    found: list[Spot] = []
    for path in sorted(paths):
        source = source_of(path)
        if source is None:
            continue
        try:
            tree = source.tree
        except SyntaxError:
            continue
        found += _spots_of(diagnosis, path, source, tree)
    found.sort(key=lambda spot: (-spot.score, spot.path, spot.line))
    return found[:most]


def _spots_of(diagnosis: Diagnosis, path: str, source: Source, tree: ast.Module) -> list[Spot]:
    suspicion = {line: diagnosis.ochiai(path, line) for line in diagnosis.failing.get(path, ())}
    if not diagnosis.failing_lines:
        suspicion = _guessed(diagnosis, path, source, tree)
    places = {line for where, line in diagnosis.frames if where == path}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    best = {}
    for function in functions:
        first, last = function.lineno, function.end_lineno or function.lineno
        inside = [suspicion[line] for line in range(first, last + 1) if line in suspicion]
        named = sum(diagnosis.words[word] > 0 for word in set(words_of(function.name)))
        touched = any(first <= line <= last for line in places)
        best[function] = (max(inside, default=0.0), 0.1 * min(named, 2) + (0.15 if touched else 0.0))
    floor = 0.5 * min(suspicion.values(), default=0.1)
    found: dict[int, Spot] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or isinstance(node, ast.Import | ast.ImportFrom):
            continue
        line = node.lineno
        owner = source.function(node)
        if owner is None:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                plain = best[node][0] * 0.5  # its parameters and their defaults
            elif isinstance(node, ast.ClassDef | ast.Expr):
                continue
            else:
                plain = max(suspicion.get(line, 0.0), floor)
            bonus = 0.0
        else:
            plain, bonus = max(suspicion.get(each, 0.0) for each in _own_lines(node)), best[owner][1]
            if not plain:
                continue
        if owner is not None and diagnosis.partly(path, _own_lines(node)):
            plain *= PARTLY
        depth = diagnosis.frames.get((path, line))
        score = plain + bonus + (0.2 / (1 + depth) if depth is not None else 0.0)
        if line not in found or found[line].score < score:
            found[line] = Spot(path, line, score, suspicion.get(line, plain if owner else 0.0))
    for line, score in _listed(tree, best).items():
        if line not in found or found[line].score < score:
            found[line] = Spot(path, line, score, 0.0)
    return list(found.values())


def _listed(
    tree: ast.Module, best: Mapping[ast.FunctionDef | ast.AsyncFunctionDef, tuple[float, float]]
) -> dict[int, float]:
    """Lines of tables at the top of the module that name a function that a traceback goes through."""
    touched = {function.name: plain for function, (plain, bonus) in best.items() if bonus >= 0.15}
    found: dict[int, float] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Name) and node.id in touched:
                    found[node.lineno] = max(found.get(node.lineno, 0.0), 0.8 * touched[node.id])
    return found


def _guessed(diagnosis: Diagnosis, path: str, source: Source, tree: ast.Module) -> dict[int, float]:
    """Without coverage: functions that a traceback names; without a traceback, the whole file a little."""
    places = {line for where, line in diagnosis.frames if where == path}
    found = {line: 0.05 for line in range(1, len(source.starts) + 1)} if not diagnosis.frames else {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if any(line in lines for line in places):
                found.update(dict.fromkeys(lines, 0.4))
    return found


def _own_lines(node: ast.stmt) -> range:
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        return range(node.lineno, max(node.lineno, body[0].lineno - 1) + 1)
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def words_of(text: str) -> list[str]:
    """Words of a text or a name in lower case: `parseHTTP_header2` -> parse, http, header, 2."""
    return [word.lower() for word in WORD.findall(text)]
