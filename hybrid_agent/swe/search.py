"""Which candidate is tested next, and what each test run teaches about the others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.swe.checks import Checker
from hybrid_agent.swe.edits import Edit, Patch, overlap
from hybrid_agent.swe.options import Order

SPREAD = 0.35  # energy that each failed try adds to the other edits of the same line
ALIKE, AKIN = 3.0, 0.8  # and to those that give the same values in the failing tests
# (probes.Findings.classes), or hold in the same states but do something else there
PROMISE = 1.0  # energy taken off edits near one that made some failing test pass
NEAR = 5  # lines
SINGLES = 2  # single edits tried for each pair, once an edit made some failing test pass


@dataclass(frozen=True)
class Trial:
    """What a test run said of a patch: failing tests that pass with it, and whether all that must pass does."""

    patch: Patch
    passes: bool
    fixed: frozenset[str] = frozenset()
    broke: str | None = None


@dataclass
class Queue:
    """Candidates in the order in which they are tried.

    Args:
        candidates: in the order in which the generators made them.
        energy: of each; None for orders that do not use it.
        order: "energy", "operator" (as made) or "random".
        seed: of the random order.
        adapt: let trials move candidates near them.
        classes: candidates (their places) that do the same in the failing tests, as far as is known.
    """

    candidates: Sequence[Edit]
    energy: NDArray[np.float32] | None
    order: Order = "energy"
    seed: int = 0
    adapt: bool = True
    classes: Mapping[int, tuple[object, ...]] = field(default_factory=dict)
    _left: list[int] = field(default_factory=list)
    _tries: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        places = list(range(len(self.candidates)))
        if self.order == "random":
            random.Random(self.seed).shuffle(places)
        elif self.order == "energy" and self.energy is not None:
            self._moved = np.array(self.energy, np.float32)
            self._lines: dict[tuple[str, int], list[int]] = {}
            for place, each in enumerate(self.candidates):
                self._lines.setdefault((each.path, each.line), []).append(place)
            self._open = np.ones(len(places), bool)
            self._place = {id(each): place for place, each in enumerate(self.candidates)}
            self._alike: dict[tuple[object, ...], list[int]] = {}
            for place, group in self.classes.items():
                for kind in (group, _akin(group)):
                    self._alike.setdefault(kind, []).append(place)
        self._left = places[::-1]

    def take(self) -> Edit | None:
        """The next candidate, or None."""
        if self.order != "energy" or self.energy is None:
            return self.candidates[self._left.pop()] if self._left else None
        if not len(self._moved) or not self._open.any():
            return None
        place = int(np.argmin(np.where(self._open, self._moved, np.inf)))
        self._open[place] = False
        return self.candidates[place]

    def skip(self, count: int) -> None:
        """Take candidates away without looking at them."""
        for _ in range(count):
            self.take()

    def learn(self, edit: Edit, *, helped: bool) -> None:
        """Move candidates near an edit that was tried."""
        if self.order != "energy" or self.energy is None:
            return
        self._moved[self._lines[edit.path, edit.line]] += SPREAD
        group = self.classes.get(self._place.get(id(edit), -1))
        if group is not None and helped:
            self._moved[self._alike[group]] -= PROMISE
        elif group is not None:
            self._moved[self._alike[group]] += ALIKE - AKIN
            self._moved[self._alike[_akin(group)]] += AKIN
        if helped and self.adapt:
            for (path, line), places in self._lines.items():
                if path == edit.path and abs(line - edit.line) <= NEAR:
                    self._moved[places] -= PROMISE


def _akin(group: tuple[object, ...]) -> tuple[object, ...]:
    """A class without what is done: the same place, kind of probe, and values."""
    return (*group[:3], *group[4:])


class Search:
    """Tries candidates one by one, and pairs when one is not enough.

    Args:
        queue: the candidates.
        energies: energy of an edit, for choosing among those that pass.
        checker: what a candidate must pass first.
        trial: runs the tests on a patch.
        may_go_on: False when no test run is left.
        pairs: also try two edits together.
    """

    def __init__(
        self,
        queue: Queue,
        checker: Checker,
        trial: Callable[[Patch], Trial],
        may_go_on: Callable[[], bool],
        *,
        pairs: bool = True,
    ) -> None:
        self.queue, self.checker, self.trial, self.may_go_on, self.pairs = queue, checker, trial, may_go_on, pairs
        self.tried = 0
        self.rejected: Counter[str] = Counter()
        self.partial: list[Trial] = []
        self.later: list[Edit] = []  # candidates that were tried alone, for pairs with a partial success

    def run(self) -> Trial | None:
        """The first patch that passes, or None when candidates or test runs are used up."""
        singles = 0
        while self.may_go_on():
            if self.pairs and self.partial and singles >= SINGLES:
                found = self._with_partial()
                singles = 0
                if found is not None and found.passes:
                    return found
                if found is not None:
                    continue
            edit = self.queue.take()
            if edit is None:
                return self._rest()
            result = self.attempt((edit,))
            if result is None:
                continue
            singles += 1
            if result.passes:
                return result
            self.later.append(edit)
            self.queue.learn(edit, helped=bool(result.fixed))
            if result.fixed and result.broke is None:
                self._keep(result)
        return None

    def attempt(self, patch: Patch) -> Trial | None:
        """Check and test one patch; None if it is not worth a run."""
        problem = self.checker.problem(patch)
        if problem is not None:
            self.rejected[
                problem.rpartition(":")[2].strip() if "the same" in problem else "does not compile or names unknown"
            ] += 1
            return None
        self.tried += 1
        return self.trial(patch)

    def best_partial(self) -> Trial | None:
        """The patch that makes most failing tests pass and was not seen to break any."""
        clean = [each for each in self.partial if each.broke is None]
        return clean[0] if clean else None

    def _keep(self, result: Trial) -> None:
        self.partial.append(result)
        self.partial.sort(key=lambda each: -len(each.fixed))  # stable: the earlier stays ahead

    def _with_partial(self) -> Trial | None:
        """Two edits: partial successes that complete one another, then the best one with the next candidate."""
        for one in self.partial[:4]:
            for other in self.partial:
                if other.fixed - one.fixed and not overlap(one.patch[0], other.patch[0]):
                    result = self.attempt((*one.patch, *other.patch))
                    if result is not None:
                        return result
        base = self.partial[0].patch[0]
        while (edit := self.queue.take()) is not None:
            if overlap(base, edit):
                result = self.attempt((edit,))
            else:
                result = self.attempt((base, edit))
            if result is not None:
                self.queue.learn(edit, helped=len(result.fixed) > len(self.partial[0].fixed))
                return result
        return None

    def _rest(self) -> Trial | None:
        """No candidate is left: the best partial success with those that were tried alone."""
        for one in self.partial[:2] if self.pairs else ():
            for edit in self.later:
                if not self.may_go_on():
                    return None
                if not overlap(one.patch[0], edit):
                    result = self.attempt((one.patch[0], edit))
                    if result is not None and result.passes:
                        return result
        return None
