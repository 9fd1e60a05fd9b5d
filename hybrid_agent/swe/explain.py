"""From trials to the result a person reads: diff, explanation, table of tests, evidence."""

from __future__ import annotations

from typing import Any

from hybrid_agent.swe.edits import Edit, Patch, patched, unified
from hybrid_agent.swe.localise import Spot
from hybrid_agent.swe.project import Project
from hybrid_agent.swe.result import Alternative, EditNote, RepairResult, Status, TestRow
from hybrid_agent.swe.search import Trial
from hybrid_agent.swe.source import Source
from hybrid_agent.swe.testing import Tester, TestRun

MOST_ROWS, MOST_SPOTS = 200, 10


class Evidence:
    """Gathers what happened and writes results."""

    def __init__(self, project: Project, tester: Tester) -> None:
        self.project, self.tester = project, tester
        self.before = TestRun()
        self.after: TestRun | None = None
        self.spots: list[Spot] = []
        self.counts: dict[str, int] = {}

    def frames(self) -> list[tuple[str, int]]:
        """Places that the tracebacks of the first run name."""
        return [(path, line) for failure in self.before.failures.values() for path, line, _ in failure.frames]

    def fixed(self, trial: Trial, others: list[Trial], energy: dict[int, float]) -> RepairResult:
        """A patch that passes; `others` pass as well."""
        text = f"{self._told(trial.patch)} All tests pass with it."
        if others:
            text += (
                f" {len(others)} other patch{'es pass' if len(others) > 1 else ' passes'} the same tests, so the tests "
                "do not decide; the one with the lowest energy was taken. Read it before you keep it."
            )
        alternatives = tuple(
            Alternative(
                patch=self.diff(each.patch)[0],
                energy=round(sum(energy.get(id(edit), 0.0) for edit in each.patch), 3),
                note="; ".join(f"{edit.path}:{edit.line} {edit.note}" for edit in each.patch),
            )
            for each in others
        )
        return self.result("fixed", trial.patch, text, alternatives)

    def improved(self, trial: Trial, goal: list[str]) -> RepairResult:
        """A patch that is not enough."""
        text = f"{self._told(trial.patch)} {len(trial.fixed)} of {len(goal)} failing tests pass with it, none breaks."
        return self.result("improved", trial.patch, text)

    def result(
        self, status: Status, patch: Patch | None, text: str, alternatives: tuple[Alternative, ...] = ()
    ) -> RepairResult:
        """Any outcome."""
        diff, encoding = self.diff(patch) if patch else ("", "utf-8")
        return RepairResult(
            status=status,
            patch=diff,
            encoding=encoding,
            runs=self.tester.runs,
            explanation=text,
            ambiguous=bool(alternatives),
            alternatives=alternatives,
            edits=tuple(self._note(edit) for edit in patch or ()),
            tests=tuple(self._rows(bool(patch))),
            evidence=self._facts(),
        )

    def diff(self, patch: Patch) -> tuple[str, str]:
        """The patch as a unified diff, and the encoding that writes it back byte for byte."""
        parts = []
        for path, text in sorted(patched(patch, self.project.sources).items()):
            source = self.project.sources[path]
            parts.append(unified(path, source.encode(source.text), source.encode(text)))
        data = b"".join(parts)
        try:
            return data.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            return data.decode("latin-1"), "latin-1"

    def _told(self, patch: Patch) -> str:
        return " ".join(f"{edit.path}, line {edit.line}: {edit.note or edit.operator}." for edit in patch)

    def _note(self, edit: Edit) -> EditNote:
        source = self.project.sources[edit.path]
        before, after = _changed_lines(source, edit)
        return EditNote(
            path=edit.path, line=edit.line, operator=edit.operator, note=edit.note, before=before, after=after
        )

    def _rows(self, patched_too: bool) -> list[TestRow]:
        after = self.after
        rows = []
        for test, outcome in self.before.outcomes.items():
            then = after.outcomes.get(test, "missing") if after is not None else "passed" if patched_too else outcome
            if after is not None and then == "missing" and test in self.before.collecting:
                then = "passed"  # a file that could not be imported and now can: its tests have names of their own
            if outcome not in ("passed", "skipped") or then not in ("passed", "skipped"):
                rows.append(TestRow(test=test, before=outcome, after=then))
        return rows[:MOST_ROWS]

    def _facts(self) -> dict[str, Any]:
        def count(run: TestRun) -> dict[str, int]:
            return {"passed": len(run.passing), "failing": len(run.failing), "all": len(run.outcomes)}

        return {
            "tests_before": count(self.before),
            "tests_after": count(self.after) if self.after is not None else None,
            "search": self.counts,
            "suspicious": [
                {"path": spot.path, "line": spot.line, "score": round(spot.score, 3), "ochiai": round(spot.ochiai, 3)}
                for spot in self.spots[:MOST_SPOTS]
            ],
            "failures": {
                test: f"{failure.kind}: {failure.message[:200]}"
                for test, failure in list(self.before.failures.items())[:20]
            },
            "notes": list(self.project.notes),
            "seconds_in_tests": round(self.tester.seconds, 2),
        }


def _changed_lines(source: Source, edit: Edit) -> tuple[str, str]:
    """The touched lines before and after."""
    a, b = min(s.start for s in edit.splices), max(s.end for s in edit.splices)
    text = source.text
    first, last = source.line_of(a), source.line_of(max(a, b - 1))
    start, end = source.starts[first - 1], source.starts[last] if last < len(source.starts) else len(text)
    new = edit.apply(text)
    return text[start:end].rstrip("\r\n"), new[start : len(new) - (len(text) - end)].rstrip("\r\n")
