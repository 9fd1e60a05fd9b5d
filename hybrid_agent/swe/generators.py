"""Where candidate edits come from: operators, memory, the decoder; one interface for all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hybrid_agent.errors import HybridAgentError
from hybrid_agent.protocols import Decoder, Memory
from hybrid_agent.swe.edits import Edit, edit
from hybrid_agent.swe.features import NAME
from hybrid_agent.swe.language import TOKEN
from hybrid_agent.swe.localise import Diagnosis, Spot
from hybrid_agent.swe.operators import all_edits
from hybrid_agent.swe.operators.insert import missing_imports
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.source import Source
from hybrid_agent.types import Budget, Control, Window

AT_A_TIME = 3  # lines that are worked on together


@dataclass(frozen=True)
class Problem:
    """What a generator is given."""

    spots: Sequence[Spot]
    diagnosis: Diagnosis
    scene: Callable[[str], Scene]
    statement: str = ""
    most: int = 4000


class Generator(Protocol):
    """Proposes edits; they need not be good, only worth ranking."""

    def propose(self, problem: Problem) -> Iterator[Edit]:
        """Yield edits, those at suspicious lines first."""
        ...


class OperatorGenerator:
    """Every operator on every suspicious line, from the most suspicious on, until there are enough."""

    def propose(self, problem: Problem) -> Iterator[Edit]:
        """See `Generator`."""
        count = 0
        names = [name for failure in problem.diagnosis.failures if failure.kind in ("NameError", "ImportError")
                 for name in NAME.findall(failure.message.partition("'")[2].partition("'")[0])]  # fmt: skip
        for path in dict.fromkeys(spot.path for spot in problem.spots) if names else ():
            for each in missing_imports(problem.scene(path), names):
                count += 1
                yield each
        seen: set[tuple[str, object]] = set()
        for at in range(0, len(problem.spots), AT_A_TIME):
            by_path: dict[str, list[int]] = {}
            for spot in problem.spots[at : at + AT_A_TIME]:
                by_path.setdefault(spot.path, []).append(spot.line)
            for path, lines in by_path.items():
                for each in all_edits(problem.scene(path), lines):
                    if (path, each.splices) not in seen:
                        seen.add((path, each.splices))
                        count += 1
                        yield each
            if count >= problem.most:
                return


class MemoryGenerator:
    """Edits that helped before: a remembered line that equals a suspicious one but for its names is changed alike.

    Notes are JSON objects with `before` and `after`, one line of code each; other notes are passed over.
    """

    def __init__(self, memory: Memory, k: int = 20, lines: int = 10) -> None:
        self.memory, self.k, self.lines = memory, k, lines

    def propose(self, problem: Problem) -> Iterator[Edit]:
        """See `Generator`."""
        for spot in problem.spots[: self.lines]:
            source = problem.scene(spot.path).source
            line = source.line_text(spot.line)
            for note in self.memory.retrieve(f"edit of a line of Python: {line.strip()}", self.k):
                try:
                    data = json.loads(note)
                    new = transferred(data["before"], data["after"], line.strip())
                except (ValueError, TypeError, KeyError):
                    continue
                if new is not None and new != line.strip():
                    start = source.starts[spot.line - 1] + len(line) - len(line.lstrip())
                    made = edit(
                        spot.path, start, start + len(line.strip()), new, "memory.line", spot.line, f"-> `{new}`"
                    )
                    yield replace(made, origin="memory")


def transferred(before: str, after: str, line: str) -> str | None:
    """`after` with the names of `line`, if `before` and `line` are equal but for their names; else None.

    >>> transferred("if i < len(xs):", "if i < len(xs) - 1:", "if k < len(rows):")
    'if k < len(rows) - 1:'
    """
    old, ours = TOKEN.findall(before), TOKEN.findall(line)
    if len(old) != len(ours):
        return None
    names: dict[str, str] = {}
    for one, other in zip(old, ours, strict=True):
        if NAME.fullmatch(one) and NAME.fullmatch(other):
            if names.setdefault(one, other) != other:
                return None
        elif one != other:
            return None
    return NAME.sub(lambda match: names.get(match[0], match[0]), after)


class DecoderGenerator:
    """Asks a decoder for `editor` calls and turns what they replace into edits."""

    def __init__(self, decoder: Decoder, k: int = 4, places: int = 3, seed: int = 0) -> None:
        self.decoder, self.k, self.places, self.seed = decoder, k, places, seed
        self.trouble = ""

    def propose(self, problem: Problem) -> Iterator[Edit]:
        """See `Generator`. A decoder that fails ends the proposals; `trouble` says why."""
        failure = problem.diagnosis.failures[0] if problem.diagnosis.failures else None
        told = f"{failure.kind}: {failure.message[:200]}" if failure else ""
        for spot in problem.spots[: self.places]:
            scene = problem.scene(spot.path)
            source = scene.source
            first, last = max(1, spot.line - 6), min(len(source.starts), spot.line + 6)
            code = "\n".join(source.line_text(line) for line in range(first, last + 1))
            step = f"edit {spot.path}: replace the faulty text near {source.line_text(spot.line).strip()!r}; {told}"
            goal = f"fix the fault in {spot.path}. {problem.statement[:400]}\n{code}"
            window = Window(goal=goal, phase="step", steps=(step,), files=(spot.path,))
            try:
                found = self.decoder.propose(window, Budget(k=self.k, temperature=0.8, seed=self.seed), Control())
            except HybridAgentError as error:
                self.trouble = str(error)
                return
            for segment in found:
                yield from self._edits(segment.text, source, spot)

    def _edits(self, text: str, source: Source, spot: Spot) -> Iterable[Edit]:
        try:
            call = json.loads(text)
            edits = call["args"]["edits"] if call["tool"] == "editor" else []
        except (ValueError, KeyError, TypeError):
            return
        for each in edits:
            if not isinstance(each, dict):
                continue
            old, new = each.get("old", each.get("find")), each.get("new", each.get("text"))
            if not isinstance(old, str) or not isinstance(new, str) or not old.strip():
                continue
            at = source.text.find(old)
            if at >= 0 and source.text.count(old) == 1:
                line = source.line_of(at)
                made = edit(spot.path, at, at + len(old), new, "decoder.replace", line, "proposed by the decoder")
                yield replace(made, origin="decoder")
