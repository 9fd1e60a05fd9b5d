"""Parts for tests of selection: a decoder with a fixed set of calls and a scorer that knows their energies."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from hybrid_agent.types import Budget, Control, Score, Segment, Window

WINDOW = Window(goal="g", phase="step", steps=("write a",))


def write(name: str, text: str = "x") -> str:
    """A call that writes a file."""
    return json.dumps({"tool": "fs", "args": {"op": "write", "path": name, "text": text}})


def segment(text: str, logprob: float = -1.0, **more: float) -> Segment:
    """A candidate of ten tokens, four of them forced."""
    return Segment.model_validate({"text": text, "logprob": logprob, "tokens": 10, "forced": 4, **more})


class Urn:
    """Greedy gives the first call; every sampling round gives the next ones in order, and stops when told to."""

    def __init__(self, *calls: Segment, tells: bool = True) -> None:
        self.calls, self.tells, self.next = calls, tells, 1
        self.budgets: list[Budget] = []
        self.controls: list[Control] = []

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """Calls of the urn."""
        self.budgets.append(budget)
        self.controls.append(control)
        if budget.temperature == 0:
            chosen: Sequence[Segment] = self.calls[:1]
        else:
            chosen = [self.calls[(self.next + i) % len(self.calls)] for i in range(budget.k)]
            self.next += budget.k
        if watch is None or not self.tells:
            return chosen
        for at, each in enumerate(chosen):
            if watch(each):
                return chosen[: at + 1]
        return chosen


class Energies:
    """Scores by text; p falls as energy rises."""

    def __init__(self, energies: dict[str, float]) -> None:
        self.energies = energies
        self.batches: list[int] = []

    def score(self, window: Window, candidates: Sequence[Segment]) -> Sequence[Score]:
        """Energy of each."""
        self.batches.append(len(candidates))
        found = [self.energies[c.text] for c in candidates]
        return [Score(energy=e, p=min(1.0, max(0.0, 0.5 - e / 10))) for e in found]
