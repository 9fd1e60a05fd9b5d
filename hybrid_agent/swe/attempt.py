"""One repair from the first test run to the result."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from hybrid_agent.protocols import Decoder, Memory
from hybrid_agent.swe.checks import Checker
from hybrid_agent.swe.edits import Edit, Patch, patched
from hybrid_agent.swe.energy import Energies, load_energy, tempered
from hybrid_agent.swe.explain import Evidence
from hybrid_agent.swe.features import Features
from hybrid_agent.swe.generators import DecoderGenerator, Generator, MemoryGenerator, OperatorGenerator, Problem
from hybrid_agent.swe.language import LocalStatistics
from hybrid_agent.swe.localise import Diagnosis, Spot, diagnose, spots, words_of
from hybrid_agent.swe.options import RepairOptions
from hybrid_agent.swe.probes import Findings, probes_of
from hybrid_agent.swe.project import Project
from hybrid_agent.swe.result import RepairResult
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.search import Queue, Search, Trial
from hybrid_agent.swe.source import Source
from hybrid_agent.swe.syntax import syntax_edits, syntax_error
from hybrid_agent.swe.testing import GOOD, PROBE_S, Tester, TestRun

TRACED_FAILING, TRACED_PASSING = 12, 120
NO_TESTS = 5
PROBE_LEAST = 4  # test runs that must be left for probing to be worth one
_QUOTED = re.compile(r"`([^`\n]{1,24})`|\"([^\"\n]{1,24})\"|(?<!\w)'([^'\n]{1,24})'(?!\w)")
STATISTICS_BYTES = 600_000  # of the project's own code, for its token statistics


class Attempt:
    """See `agent.repair`, whose arguments these are."""

    def __init__(
        self,
        project: Project,
        tester: Tester,
        options: RepairOptions,
        statement: str,
        targets: Sequence[str],
        decoder: Decoder | None,
        memory: Memory | None,
        report: Callable[[str], None],
    ) -> None:
        self.project, self.tester, self.options = project, tester, options
        self.statement, self.report = statement, report
        self.wanted = list(targets)
        self.decoder, self.memory = decoder, memory
        self.evidence = Evidence(project, tester)
        self._scenes: dict[str, Scene] = {}

    def run(self) -> RepairResult:
        """Everything, in order."""
        before = self.tester.run()
        self.evidence.before = before
        early = self._nothing_to_do(before)
        if early is not None:
            return early
        self.goal = self.wanted or before.failing
        self.keep = [test for test in before.passing if test not in self.goal]
        self.strict = bool(before.collecting) or any(test not in before.outcomes for test in self.goal)
        self.report(f"{len(before.failing)} of {len(before.outcomes)} tests fail")
        self.limit = max(30.0, 4 * before.duration_s + 2 * self.options.per_test_s)
        diagnosis = self._diagnose(before)
        found = self._spots(diagnosis)
        self.evidence.spots = found
        candidates = list(self._candidates(found, diagnosis))
        if not candidates:
            return self.evidence.result("not_fixed", None, self._why_nothing())
        top = found[0] if found else None
        where = f"; most suspicious: {top.path}:{top.line}" if top else ""
        self.report(f"{len(found)} suspicious lines{where}; {len(candidates)} candidate edits")
        return self._search(candidates, found, diagnosis)

    def _nothing_to_do(self, before: TestRun) -> RepairResult | None:
        if before.trouble:
            if before.ended == NO_TESTS:
                return self.evidence.result("no_tests", None, "The test command found no tests.")
            return self.evidence.result("cannot_run", None, f"The test command ran no test: {before.trouble}")
        failing = (
            [test for test in self.wanted if before.outcomes.get(test) not in GOOD] if self.wanted else before.failing
        )
        if not failing:
            return self.evidence.result("already_passing", None, f"All {len(before.outcomes)} tests pass already.")
        return None

    def _diagnose(self, before: TestRun) -> Diagnosis:
        words = Counter(words_of(self.statement))
        for test in self.goal[:TRACED_FAILING]:
            words.update(words_of(test.replace("::", ".").rpartition(".")[2]))
        failing = [test for test in self.goal if test in before.outcomes and test not in before.collecting]
        if self.tester.command.kind == "plain" or not failing or self.tester.runs >= self.options.budget:
            return diagnose(before, self.goal, words)
        chosen = failing[:TRACED_FAILING]
        others = self._near(chosen)
        others = [
            *others[: TRACED_PASSING // 2],
            *others[TRACED_PASSING // 2 :: max(1, len(others) // (TRACED_PASSING // 2))],
        ]
        traced = self.tester.run(
            only=[*chosen, *others], first=chosen, trace=True, timeout_s=self.options.timeout_s * 2
        )
        for test in chosen:  # the untraced run has the truth about outcomes and exceptions
            if test in before.failures:
                traced.outcomes[test] = before.outcomes[test]
                traced.failures[test] = before.failures[test]
        return diagnose(traced, [*chosen, *(t for t in self.goal if t in before.collecting)], words)

    def _editable(self, path: str) -> bool:
        return path in self._files() and self.project.editable(path, self.options.include, self.options.allow)

    def _files(self) -> set[str]:
        if not hasattr(self, "_known"):
            self._known = set(self.project.files)
        return self._known

    def _spots(self, diagnosis: Diagnosis) -> list[Spot]:
        named = any(self._editable(path) for path in (*diagnosis.failing, *(path for path, _ in diagnosis.frames)))
        extra: list[str] = []
        if not named:
            extra = [path for path in self.project.files if self._editable(path)]
            extra.sort(key=lambda path: -sum(diagnosis.words[word] for word in words_of(path)))
        return spots(diagnosis, self.project.source, self._editable, extra=extra[:30])

    @cached_property
    def _told(self) -> tuple[str, ...]:
        """Short strings that the issue puts in quotes or backticks, and single signs of them."""
        found = [next(filter(None, each)) for each in _QUOTED.findall(self.statement)]
        signs = [
            sign for text in found if len(text) <= 12 for sign in text if not sign.isalnum() and not sign.isspace()
        ]
        return tuple(dict.fromkeys([text for text in found if len(text) <= 12] + signs))

    def _scene(self, path: str) -> Scene:
        if path not in self._scenes:
            source = self.project.source(path)
            assert source is not None
            folder = path.rpartition("/")[0]
            near = [p for p in self.project.files if p.rpartition("/")[0] == folder and p != path and self._editable(p)]
            others = tuple(other for other in map(self.project.source, near[:20]) if other and not syntax_error(other))
            self._scenes[path] = Scene(source, others, self._told)
        return self._scenes[path]

    def _candidates(self, found: list[Spot], diagnosis: Diagnosis) -> Iterator[Edit]:
        for path in self._broken_files(diagnosis):
            source = self.project.source(path)
            if source is not None:
                self.project.note(f"{path} does not parse: {syntax_error(source)}")
                yield from syntax_edits(source)
        problem = Problem(found, diagnosis, self._scene, self.statement, self.options.candidates)
        makers: list[Generator] = [OperatorGenerator()]
        if self.memory is not None:
            makers.insert(0, MemoryGenerator(self.memory))
        if self.decoder is not None:
            makers.insert(0, DecoderGenerator(self.decoder, seed=self.options.seed))
        for maker in makers:
            yield from maker.propose(problem)
            if isinstance(maker, DecoderGenerator) and maker.trouble:
                self.project.note(f"the decoder could not be asked: {maker.trouble}")

    def _broken_files(self, diagnosis: Diagnosis) -> list[str]:
        """Files that do not parse, if a failure is about that."""
        if not any(failure.kind in ("SyntaxError", "IndentationError", "TabError") for failure in diagnosis.failures):
            return []
        named = [path for path in dict.fromkeys(path for path, _ in diagnosis.frames) if self._editable(path)]
        sources = [(path, self.project.source(path)) for path in named]
        return [path for path, source in sources if source is not None and syntax_error(source)]

    def _why_nothing(self) -> str:
        outside = [path for path, _ in self.evidence.frames() if not self._editable(path)]
        if not any(self._editable(path) for path in self.project.files):
            return "There is no Python file that may be edited (tests, build and configuration files are left alone)."
        if outside:
            return f"The failing tests only run code that may not be edited, such as {outside[-1]}."
        return "Nothing that the failing tests run could be changed."

    def _search(self, candidates: list[Edit], found: list[Spot], diagnosis: Diagnosis) -> RepairResult:
        sources = {path: source for path, source in self.project.sources.items()}
        usable = [each for each in candidates if each.path in sources]
        energy: Energies | None = None
        classes: dict[int, tuple[object, ...]] = {}
        if self.options.order == "energy":
            energy = self._energies(usable, found, diagnosis, sources)
            if self.options.probe and self._can_probe(diagnosis):
                shifts, classes = self._probe(usable, sources)
                energy = tempered(energy) + shifts
        queue = Queue(usable, energy, self.options.order, self.options.seed, self.options.adapt, classes)
        search = Search(queue, Checker(sources), self._trial, self._may_go_on, pairs=self.options.pairs)
        of = {id(each): float(energy[at]) for at, each in enumerate(usable)} if energy is not None else {}
        found_one = search.run()
        passing = [found_one] if found_one is not None else []
        if found_one is not None:
            self.report(f"a patch passes after {self.tester.runs} test runs")
            passing += self._others(search, found_one)
            passing.sort(key=lambda trial: (len(trial.patch), sum(of.get(id(e), 0.0) for e in trial.patch)))
        self.evidence.counts = {
            "suspicious_lines": len(found), "candidates": len(usable), "tested": search.tried, **search.rejected,
        }  # fmt: skip
        return self._conclude(search, passing, of)

    def _energies(
        self, usable: list[Edit], found: list[Spot], diagnosis: Diagnosis, sources: dict[str, Source]
    ) -> Energies:
        energy = load_energy()
        texts, size = [], 0
        for path in sorted(self.project.files, key=lambda p: (p not in {spot.path for spot in found}, p)):
            source = self.project.source(path) if size < STATISTICS_BYTES else None
            if source is not None:
                texts.append(source.text)
                size += len(source.text)
        parsed = [each for each in usable if each.family != "syntax"]
        features = Features(sources, diagnosis, found, LocalStatistics(texts), energy.shared)
        rows, operators = features.rows(parsed)
        values = iter(energy.of(rows, operators))
        lowest = -1e3
        return np.array([lowest if each.family == "syntax" else next(values) for each in usable], np.float32)

    def _can_probe(self, diagnosis: Diagnosis) -> bool:
        left = self.options.budget - self.tester.runs
        return bool(diagnosis.failing_lines) and self.tester.command.kind != "plain" and left > PROBE_LEAST

    def _probe(self, usable: list[Edit], sources: dict[str, Source]) -> tuple[Energies, dict[int, tuple[object, ...]]]:
        """One more run of the unchanged code: what each candidate would change in the states that tests reach."""
        asked = probes_of(usable, sources)
        failing = [test for test in self.goal if test in self.evidence.before.outcomes][:TRACED_FAILING]
        ran = self.tester.run(
            only=[*failing, *self._near(failing)[:TRACED_PASSING]], first=failing,
            probes=[each.row() for each in asked], timeout_s=self.limit + 10 * PROBE_S,
        )  # fmt: skip
        told = Findings.of(ran.probes)
        return told.shifts(len(usable), [each.number for each in asked], failing), told.classes(asked, failing)

    def _near(self, chosen: Sequence[str]) -> list[str]:
        """Tests that pass, those beside the chosen ones first."""
        near = {test.partition("::")[0].rpartition(".")[0] or test for test in chosen}
        return sorted(self.keep, key=lambda test: (test.partition("::")[0].rpartition(".")[0] or test) not in near)

    def _may_go_on(self) -> bool:
        return self.tester.runs < self.options.budget - 1  # one run is kept to confirm the patch

    def _trial(self, patch: Patch) -> Trial:
        self._write(patch)
        try:
            if self.strict or self.tester.command.kind == "plain":
                ran = self.tester.run(strict=True, first=self.goal, timeout_s=self.limit)
                good = ran.ended is not None and not ran.failing and bool(ran.passing)
            else:
                must = [*self.goal, *self.keep]
                ran = self.tester.run(must=must, goal=self.goal, timeout_s=self.limit)
                good = ran.passes(must)
        finally:
            self._restore(patch)
        fixed = frozenset(test for test in self.goal if ran.outcomes.get(test) == "passed")
        broke = next((test for test in ran.failing if test not in self.goal), None)
        return Trial(patch, good, fixed, broke)

    def _write(self, patch: Patch) -> None:
        for path, text in patched(patch, self.project.sources).items():
            (self.project.root / path).write_bytes(self.project.sources[path].encode(text))

    def _restore(self, patch: Patch) -> None:
        for path in {each.path for each in patch}:
            source = self.project.sources[path]
            (self.project.root / path).write_bytes(source.encode(source.text))

    def _others(self, search: Search, first: Trial) -> list[Trial]:
        """Further patches that pass, among the next candidates."""
        found: list[Trial] = []
        spent = self.tester.runs + self.options.confirm
        while self.tester.runs < spent and self._may_go_on():
            edit = search.queue.take()
            if edit is None:
                break
            trial = search.attempt((edit,))
            if trial is not None and trial.passes:
                found.append(trial)
        return found

    def _conclude(self, search: Search, passing: list[Trial], of: dict[int, float]) -> RepairResult:
        for place, trial in enumerate(passing):
            after = self._whole_run(trial.patch)
            if after is None or not (set(after.failing) - (set(self.evidence.before.failing) - set(self.goal))):
                rest = [each for each in passing[place + 1 :]]
                self.evidence.after = after
                return self.evidence.fixed(trial, rest, of)
            self.project.note("a patch passed the chosen tests but not the whole command; it was set aside")
        partial = search.best_partial()
        if partial is not None:
            after = self._whole_run(partial.patch)
            if after is not None and set(after.failing) < set(self.evidence.before.failing):
                self.evidence.after = after
                return self.evidence.improved(partial, self.goal)
        why = "the budget is spent" if not self._may_go_on() else "no candidate is left"
        return self.evidence.result("not_fixed", None, f"No patch was found: {why}, {search.tried} were tested.")

    def _whole_run(self, patch: Patch) -> TestRun | None:
        """The test command as it was given, on the patched copy; None when no run is left."""
        if self.tester.runs >= self.options.budget:
            return None
        self._write(patch)
        try:
            return self.tester.run()
        finally:
            self._restore(patch)
