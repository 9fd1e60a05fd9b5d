"""What a repair hands back; all of it can be written as JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hybrid_agent.types import Record

Status = Literal[
    "fixed",  # every failing test passes, no passing test fails
    "improved",  # some failing tests pass, none that passed fails; the patch is given, but it is not enough
    "not_fixed",  # the budget or the candidates ran out
    "already_passing",
    "no_tests",
    "cannot_run",  # the test command did not get as far as running tests
]


class TestRow(Record):
    """One test before and after: "passed", "failed", "error", "timeout", "skipped" or "missing"."""

    __test__ = False  # not a test class of ours

    test: str
    before: str
    after: str


class EditNote(Record):
    """One edit of the patch, for people: where, by which operator, and the lines before and after."""

    path: str
    line: int
    operator: str
    note: str
    before: str
    after: str


class Alternative(Record):
    """A further patch that passes the same tests."""

    patch: str
    energy: float
    note: str


class RepairResult(Record):
    """The outcome of `agent.repair`.

    Attributes:
        status: what happened; only "fixed" counts as resolved.
        patch: unified diff for `git apply`; empty when there is none.
        encoding: write the patch to a file in this encoding (latin-1 when files are not UTF-8: byte for byte).
        runs: test runs used.
        explanation: a few sentences for people.
        ambiguous: other patches pass the same tests as well.
        alternatives: those patches, best first.
        edits: the edits of the patch.
        tests: tests whose outcome is not "passed" before or after, and counts of the rest in `evidence`.
        evidence: counts, suspicious lines, timings, what was not looked at and why.
    """

    status: Status
    patch: str = ""
    encoding: str = "utf-8"
    runs: int = 0
    explanation: str = ""
    ambiguous: bool = False
    alternatives: tuple[Alternative, ...] = ()
    edits: tuple[EditNote, ...] = ()
    tests: tuple[TestRow, ...] = ()
    evidence: dict[str, Any] = Field(default_factory=dict)

    @property
    def resolved(self) -> bool:
        """True when all tests pass with the patch."""
        return self.status == "fixed"
