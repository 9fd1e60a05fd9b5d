"""What an edit would change in the states that the tests reach, found without running any test on it.

The third run of the unchanged code stops at each line that a candidate is about, forks, and evaluates there the old and
the new expression (or an inserted condition, or what an inserted statement does). An edit that changes nothing in some
failing test cannot make it pass (test equivalence: Mechtaev et al., TOSEM 2018); one that changes nothing in passing
tests breaks none of them. No outcome of a test is learned this way: that takes a test run.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.swe.edits import Edit, spliced
from hybrid_agent.swe.source import Source, parse

COPIES = ("wrap.copy", "wrap.deeper")  # same values, other objects
SAME, DIFFERS, RAISES, VALUES, CUT = range(5)
# Energies that findings add (lower is tried sooner).
USELESS, SOME, ALL, SAFE, UNSEEN, RISKY, BROKEN, WRECKS, UNKNOWN, DOUBTFUL = (
    30.0,
    3.0,
    -1.5,
    -2.0,
    -1.2,
    2.0,
    3.0,
    5.0,
    1.0,
    3.0,
)


@dataclass(frozen=True)
class Probe:
    """Something to evaluate at a line.

    Kinds: `value` (an expression, old against new), `truth` (of the new condition), `effect` (of the new statement,
    after the old one where there is one), `both` (effects of the old and the new statement).
    """

    number: int
    path: str
    line: int
    kind: str
    old: str
    new: str
    group: str = ""  # probes of other groups are about other things: what is done where a condition holds

    def row(self) -> list[object]:
        """As the script inside reads it."""
        return [self.number, self.path, self.line, self.kind, self.old, self.new]


@dataclass
class Findings:
    """What the probes of each test told.

    Attributes:
        tests: test -> candidate -> how often it changed nothing, changed something, raised; a hash of all values; and
            1 if not all states that the test reached were looked at.
    """

    tests: dict[str, dict[int, tuple[int, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, answers: Mapping[str, Sequence[Sequence[int]]]) -> Findings:
        """Read `TestRun.probes`."""
        return cls({test: {number: tuple(told) for number, *told in rows} for test, rows in answers.items()})

    def classes(self, probes: Iterable[Probe], failing: Sequence[str]) -> dict[int, tuple[object, ...]]:
        """Candidates that give the same values in all states of the failing tests have the same class.

        After the first state in which they differ from the unchanged code the tests may go other ways, so that one of
        a class may still help where another did not; but it is less likely.
        """
        bad = [self.tests[test] for test in failing if test in self.tests]
        found: dict[int, tuple[object, ...]] = {}
        for probe in probes:
            values = tuple(answers[probe.number][VALUES] if probe.number in answers else None for answers in bad)
            if any(value is not None for value in values):
                found[probe.number] = (probe.path, probe.line, probe.kind, probe.group, values)
        return found

    def shifts(self, count: int, asked: Iterable[int], failing: Sequence[str]) -> NDArray[np.float32]:
        """Energy to add to each of `count` candidates; `UNKNOWN` for those that nothing was asked of."""
        found = np.full(count, UNKNOWN, np.float32)
        bad = [self.tests[test] for test in failing if test in self.tests]
        good = [answers for test, answers in self.tests.items() if test not in set(failing)]
        if not bad:
            return np.zeros(count, np.float32)
        for number in asked:
            found[number] = _shift([a.get(number) for a in bad], [a[number] for a in good if number in a])
        return found


def _shift(bad: Sequence[tuple[int, ...] | None], good: Sequence[tuple[int, ...]]) -> float:
    changed = [each is not None and each[DIFFERS] + each[RAISES] > 0 for each in bad]
    if not any(each is not None for each in bad):
        return 0.0
    if not any(changed):
        return DOUBTFUL if any(each is not None and each[CUT] for each in bad) else USELESS
    total = ALL if all(changed) else SOME
    if any(each is not None and each[RAISES] for each in bad):
        total += BROKEN
    if any(each[RAISES] for each in good):
        total += WRECKS
    differs = sum(each[DIFFERS] + each[RAISES] > 0 for each in good)
    return total + (RISKY * differs / len(good) if differs else SAFE if good else UNSEEN)


def probes_of(edits: Sequence[Edit], sources: Mapping[str, Source]) -> list[Probe]:
    """A probe for every edit that can be evaluated in one state."""
    found = []
    for number, each in enumerate(edits):
        if each.operator in COPIES or "copy" in "".join(splice.new for splice in each.splices):
            continue
        try:
            asked = _asked(each, sources[each.path])
        except (SyntaxError, IndexError, KeyError):
            continue
        if asked is not None:
            found.append(Probe(number, each.path, *asked))
    return found


def _asked(edit: Edit, source: Source) -> tuple[int, str, str, str, str] | None:
    """Line, kind, old and new text of an edit's probe."""
    first = edit.splices[0]
    if len(edit.splices) == 1 and first.start == first.end and first.new.endswith(("\n", "\r")):
        return _inserted(edit, source)
    if len(edit.splices) == 1 and edit.operator in ("guard.around", "remove.unwrap", "remove.statement", "remove.pass"):
        return _taken(edit, source)
    statement = _around(edit, source)
    if statement is None:
        return None
    head = _head(statement)
    if isinstance(statement, ast.Expr | ast.Delete | ast.AugAssign):
        return _statements(edit, source, statement)
    if head is None:
        return None
    start, end = source.span(head)
    if any(splice.start < start or splice.end > end for splice in edit.splices):
        return _whole(edit, source, statement)
    moved = [type(s)(s.start - start, s.end - start, s.new) for s in edit.splices]
    old = source.text[start:end]
    before, after = _expression(old), _expression(spliced(old, moved))
    if isinstance(statement, ast.If | ast.While | ast.Assert):
        before, after = f"bool{before}", f"bool{after}"
    return statement.lineno, "value", before, after, before


def _whole(edit: Edit, source: Source, statement: ast.stmt) -> tuple[int, str, str, str, str] | None:
    """An edit of a plain statement outside its value: compared if only the value differs."""
    if not isinstance(statement, ast.Assign | ast.Return):
        return None
    new = _edited(edit, source, statement)
    if isinstance(statement, ast.Assign) and (isinstance(new, ast.Expr) or _targets(new) != _targets(statement)):
        return _statements(edit, source, statement)
    if type(new) is not type(statement) or new.value is None or statement.value is None:
        return None
    before, after = _expression(ast.unparse(statement.value)), _expression(ast.unparse(new.value))
    return statement.lineno, "value", before, after, before


def _statements(edit: Edit, source: Source, statement: ast.stmt) -> tuple[int, str, str, str, str] | None:
    """Two statements that are there for their effect."""
    new = _edited(edit, source, statement)
    if not isinstance(new, ast.Expr | ast.Delete | ast.AugAssign | ast.Assign):
        return None
    if any(
        isinstance(each, ast.Yield | ast.YieldFrom | ast.Await) for tree in (new, statement) for each in ast.walk(tree)
    ):
        return None
    before = ast.unparse(statement)
    return statement.lineno, "both", before, ast.unparse(new), before


def _edited(edit: Edit, source: Source, statement: ast.stmt) -> ast.stmt | None:
    """The statement after the edit; None if it is not one statement, or the edit is not within it."""
    start, end = source.span(statement)
    if any(splice.start < start or splice.end > end for splice in edit.splices):
        return None
    moved = [type(s)(s.start - start, s.end - start, s.new) for s in edit.splices]
    body = parse(spliced(source.text[start:end], moved)).body
    return body[0] if len(body) == 1 else None


def _targets(statement: ast.stmt | None) -> list[str]:
    return [ast.dump(target) for target in getattr(statement, "targets", ())]


def _inserted(edit: Edit, source: Source) -> tuple[int, str, str, str, str] | None:
    statement = source.first_on_line.get(edit.line)
    body = parse(textwrap.dedent(edit.splices[0].new)).body
    if statement is None or len(body) != 1:
        return None
    after = edit.splices[0].start > source.span(statement)[0]
    if after and not isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr | ast.Delete):
        return None
    before = textwrap.dedent(source.segment(statement)) if after else ""
    new = body[0]
    if isinstance(new, ast.If) and not new.orelse and not after:
        return edit.line, "truth", "", f"bool({ast.unparse(new.test)})", ast.unparse(new.body[0])
    if isinstance(new, ast.If | ast.Assign | ast.AugAssign | ast.Expr | ast.Delete):
        return edit.line, "effect", before, ast.unparse(new), before
    return None


def _taken(edit: Edit, source: Source) -> tuple[int, str, str, str, str] | None:
    statement = source.first_on_line.get(edit.line)
    if statement is None:
        return None
    if edit.operator == "guard.around":
        before = ast.unparse(statement)
        new = parse(textwrap.dedent(edit.splices[0].new)).body[0]
        return (edit.line, "both", before, ast.unparse(new), before) if isinstance(new, ast.If) else None
    if edit.operator == "remove.unwrap":
        if isinstance(statement, ast.If):
            return edit.line, "truth", "", f"not ({source.segment(statement.test)})", "-"
        return None
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr | ast.Delete):
        return edit.line, "effect", "", textwrap.dedent(source.segment(statement)), "-"
    return None


def _around(edit: Edit, source: Source) -> ast.stmt | None:
    """The innermost statement that holds all splices."""
    a, b = min(s.start for s in edit.splices), max(s.end for s in edit.splices)
    found = None
    for line in range(source.line_of(a), max(0, source.line_of(a) - 12), -1):
        statement = source.first_on_line.get(line)
        if statement is not None:
            start, end = source.span(statement)
            if start <= a and b <= end:
                found = statement
                break
    return found


def _head(statement: ast.stmt) -> ast.expr | None:
    """The expression of a statement that is evaluated when its line is reached."""
    if isinstance(statement, ast.If | ast.While | ast.Assert):
        return statement.test
    if isinstance(statement, ast.For):
        return statement.iter
    if isinstance(statement, ast.Return | ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
        return statement.value
    return None


def _expression(text: str) -> str:
    """One expression on lines of its own."""
    tree = ast.parse(f"({text}\n)", mode="eval").body
    if any(isinstance(each, ast.Yield | ast.YieldFrom | ast.Await) for each in ast.walk(tree)):
        raise SyntaxError("cannot be evaluated apart")
    return f"({text}\n)"
