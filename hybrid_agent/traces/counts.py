"""Counting labelled candidates by domain, stratum and label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from hybrid_agent.traces.contexts import Context, Label, Stratum

LABELS: tuple[Label, ...] = get_args(Label)
STRATA: tuple[Stratum, ...] = get_args(Stratum)

Counts = dict[str, dict[str, dict[str, int]]]  # domain -> stratum -> label -> candidates


class Tally:
    """Counts of what is shown to it."""

    def __init__(self) -> None:
        self.contexts: Counter[str] = Counter()
        self.usable: Counter[str] = Counter()
        self._found: Counter[tuple[str, str, str]] = Counter()

    def add(self, context: Context) -> None:
        """Count a context; it is usable for ranking if it holds both a passing and a failing candidate."""
        self.contexts[context.domain] += 1
        labels = {candidate.label for candidate in context.candidates}
        self.usable[context.domain] += "pass" in labels and bool(labels & {"plausible_fail", "policy_violation"})
        for candidate in context.candidates:
            self._found[context.domain, candidate.stratum, candidate.label] += 1

    def counts(self) -> Counts:
        """The candidates counted so far."""
        out: Counts = {}
        for (domain, stratum, label), count in sorted(self._found.items()):
            out.setdefault(domain, {}).setdefault(stratum, {})[label] = count
        return out


def tally(contexts: Iterable[Context]) -> Tally:
    """Count all contexts of a stream."""
    found = Tally()
    for context in contexts:
        found.add(context)
    return found
