"""Mutants of real code with what their own tests say of them: the corpus of the patch ranker.

    python -m train.mutants out=runs/mutants split=train count=400

Each module of the standard library (its tests lie in the interpreter's `test` package) and each module of an installed
package that ships tests is a small project. A random edit is made in it; when a test fails, the mutant is kept with
the failing tests' exceptions and lines. Everything runs in the sandbox. Modules are divided into training and held-out
packages before anything is drawn (`train.mutants_corpus`).
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybrid_agent.assemble.swe import repair_sandbox
from hybrid_agent.swe.command import read_command
from hybrid_agent.swe.edits import Edit, same_key
from hybrid_agent.swe.operators import all_edits
from hybrid_agent.swe.options import RepairOptions
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.source import Source, parse
from hybrid_agent.swe.testing import Tester, TestRun
from train.mutants_corpus import Target, make_project, targets

# How often each kind of change is drawn: roughly what faults of people are like, never what the search finds easy.
WEIGHTS = {
    "compare": 3, "logic": 2, "number": 2, "offbyone": 3, "arith": 2, "slice": 1.5, "name": 3, "attr": 1.5,
    "callee": 1.5, "args": 2, "wrap": 2, "text": 1.5, "test": 1.5, "augment": 1, "control": 1, "return": 1.5,
    "remove": 4, "order": 1.5, "block": 1.5, "handler": 0.5,
}  # fmt: skip
SLOW_S = 25.0  # a module whose tests take longer is left out
TRACED = 6  # failing tests that are traced
QUICK = RepairOptions(per_test_s=5.0, timeout_s=60.0)


class Bench:
    """One target in its sandbox: its tests, and the lines they run on the unchanged code."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target = target
        self.root = folder
        self.path, command = make_project(target, folder)
        self.source = Source(self.path, (folder / self.path).read_bytes())
        chosen = repair_sandbox(sys.executable)
        self.sandbox = chosen.make(folder)
        options = QUICK.model_copy(update={"python": chosen.python})
        self.tester = Tester(self.sandbox, read_command(command), options, ["/workspace"])
        base = self.tester.run()
        self.good = base.passing
        self.seconds = base.duration_s
        usable = self.good and self.seconds < SLOW_S
        traced = self.tester.run(only=self.good, trace=True, timeout_s=120.0) if usable else base
        self.lines = {test: lines[self.path] for test, lines in traced.lines.items() if self.path in lines}

    def covered(self) -> set[int]:
        """Lines that some test runs."""
        return {line for lines in self.lines.values() for line in lines}

    def judge(self, mutant: Edit) -> dict[str, Any] | None:
        """Run the tests on a mutant; None if none fails (or none is left to compare with)."""
        text = mutant.apply(self.source.text)
        place = self.root / self.path
        place.write_bytes(self.source.encode(text))
        try:
            ran = self.tester.run(only=self.good)
            failing = [test for test in ran.failing if test in self.lines] or ran.failing
            if not failing:
                return None
            chosen = sorted(failing, key=lambda test: len(self.lines.get(test, ())))[:TRACED]
            traced = self.tester.run(only=chosen, trace=True)
        finally:
            place.write_bytes(self.source.encode(self.source.text))
        return self._record(mutant, ran, traced, chosen)

    def _record(self, mutant: Edit, ran: TestRun, traced: TestRun, chosen: list[str]) -> dict[str, Any]:
        failures = {**{t: ran.failures[t] for t in chosen if t in ran.failures}, **traced.failures}
        return {
            "package": self.target.package,
            "target": self.target.name,
            "operator": mutant.operator,
            "line": mutant.line,
            "note": mutant.note,
            "splices": [[s.start, s.end, s.new] for s in mutant.splices],
            "failing": len(ran.failing),
            "passing": len(ran.passing),
            "failed_tests": ran.failing,
            "chosen": chosen,
            "failures": [[f.kind, f.message, f.frames] for t, f in failures.items() if t in chosen],
            "lines": [lines for test, lines in traced.lines.items() if test in chosen],
        }


def draw(scene: Scene, lines: set[int], rng: random.Random) -> Iterator[Edit]:
    """Random edits: the kind first, by weight, then one of that kind. Endless; never one that changes nothing."""
    by_kind: dict[str, list[Edit]] = {}
    original = same_key({scene.source.path: scene.source.text})
    for each in all_edits(scene, lines):
        if each.family in WEIGHTS:
            by_kind.setdefault(each.family, []).append(each)
    kinds = sorted(by_kind)
    while kinds:
        chosen = rng.choice(by_kind[rng.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]])
        text = chosen.apply(scene.source.text)
        try:
            parse(text)
            if same_key({scene.source.path: text}) != original:
                yield chosen
        except SyntaxError:
            continue


def collect(target: Target, wanted: int, out: Path, seed: int, scratch: Path) -> int:
    """Mutants of one target, written to `out/<name>.json` in one piece."""
    place = out / f"{target.name}.json"
    if place.is_file():
        return len(json.loads(place.read_text())["mutants"])
    bench = Bench(target, scratch / target.name)
    try:
        found: list[dict[str, Any]] = []
        seen: set[str] = set()
        if len(bench.lines) >= 3:
            scene = Scene(bench.source)
            rng = random.Random(f"{seed}:{target.name}")
            operators: Counter[str] = Counter()
            for tries, mutant in enumerate(draw(scene, bench.covered(), rng)):
                if len(found) >= wanted or tries >= 2 * wanted + 4:
                    break
                text = mutant.apply(bench.source.text)
                if text in seen or operators[mutant.operator] >= max(2, wanted // 4):
                    continue
                seen.add(text)
                record = bench.judge(mutant)
                if record is not None:
                    operators[mutant.operator] += 1
                    found.append(record)
        data = {"target": target.name, "package": target.package, "path": bench.path, "text": bench.source.text,
                "lines": bench.lines, "tests": len(bench.good), "seconds": bench.seconds, "mutants": found}  # fmt: skip
        out.mkdir(parents=True, exist_ok=True)
        temporary = place.with_suffix(".part")
        temporary.write_text(json.dumps(data))
        temporary.replace(place)
        return len(found)
    finally:
        bench.sandbox.close()


def main() -> None:
    """Collect mutants of one split; what is there already is kept."""
    import tempfile

    given = dict(each.partition("=")[::2] for each in sys.argv[1:])
    split, count = given.get("split", "train"), int(given.get("count", "400"))
    out = Path(given.get("out", "runs/mutants")) / split
    chosen = targets(split)
    random.Random(0).shuffle(chosen)  # so that a part of the corpus is a sample of it
    part, parts = map(int, given.get("part", "0/1").split("/"))  # several processes may share the work
    each = max(1, -(-count // len(chosen)))
    total = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        for target in chosen[part::parts]:
            began = time.monotonic()
            try:
                made = collect(target, each, out, int(given.get("seed", "0")), Path(scratch))
            except Exception as error:  # one target that cannot be used must not end the rest; it is named
                print(f"{target.name}: left out ({type(error).__name__}: {error})", flush=True)
                continue
            total += made
            print(f"{target.name}: {made} mutants, {total} in all ({time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
