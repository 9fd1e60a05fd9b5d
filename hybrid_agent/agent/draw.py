"""The candidates of one turn as they come: merged, counted, scored in batches, stopped when the case is clear."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hybrid_agent.protocols import Decoder, Scorer
from hybrid_agent.types import Budget, Control, Effort, Segment, Window

if TYPE_CHECKING:
    from hybrid_agent.agent.select import SelectOptions


class Draw:
    """Collects candidates over one or more proposals for the same window.

    Attributes:
        candidates: different texts, in the order they came; scored ones carry energy and p.
        effort: what they cost.
        score_ms: milliseconds spent in the scorer.
    """

    def __init__(self, decoder: Decoder, scorer: Scorer | None, options: SelectOptions, window: Window) -> None:
        self.decoder, self.scorer, self.options, self.window = decoder, scorer, options, window
        self.candidates: list[Segment] = []
        self.effort = Effort(k=0, drawn=0)
        self.score_ms = 0.0

    def add(self, budget: Budget, control: Control) -> None:
        """Have the decoder write `budget.k` more; an early exit may leave some of them unwritten."""
        told: list[Segment] = []
        early, old = False, len(self.candidates)

        def watch(segment: Segment) -> bool:
            nonlocal early
            told.append(segment)
            self._keep(segment)
            early = early or self._clear()
            return early

        written = self.decoder.propose(self.window, budget, control, watch)
        texts = {segment.text for segment in told}
        untold = [segment for segment in written if segment.text not in texts]
        for segment in untold:  # of a backend that does not tell, or only of whole calls
            self._keep(segment)
        # As the decoder lists them (the greedy one first), not as they happened to finish.
        order = {segment.text: at for at, segment in reversed(list(enumerate(written)))}
        self.candidates[old:] = sorted(self.candidates[old:], key=lambda c: order.get(c.text, len(order)))
        came = [*told, *untold]
        spent = getattr(self.decoder, "spent", None)  # repeats and cancelled ones too, where a decoder counts them
        tokens, forced = spent or (sum(s.tokens for s in came), sum(s.forced for s in came))
        count = self.effort
        self.effort = count.model_copy(
            update={
                "k": count.k + budget.k,
                "drawn": count.drawn + len(came),
                "cancelled": count.cancelled + (max(0, budget.k - len(came)) if early else 0),
                "early": count.early or early,
                "tokens": count.tokens + tokens,
                "forced": count.forced + forced,
            }
        )

    def score(self) -> None:
        """Score, in one batch, what has no energy yet."""
        if self.scorer is None:
            return
        new = [i for i, c in enumerate(self.candidates) if c.energy is None]
        if not new:
            return
        begun = time.perf_counter()
        scores = self.scorer.score(self.window, [self.candidates[i] for i in new])
        self.score_ms += (time.perf_counter() - begun) * 1e3
        for i, score in zip(new, scores, strict=True):
            self.candidates[i] = self.candidates[i].model_copy(update={"energy": score.energy, "p": score.p})

    def _keep(self, segment: Segment) -> None:
        """Texts count once: drawing one again says nothing new of its energy."""
        if all(segment.text != known.text for known in self.candidates):
            self.candidates.append(segment)

    def _clear(self) -> bool:
        """Does the best lead by the margin? Scores what has come once it fills a batch."""
        options = self.options
        if options.margin is None or self.scorer is None or options.rank != "energy":
            return False
        if sum(c.energy is None for c in self.candidates) >= options.batch:
            self.score()
        energies = sorted(c.energy for c in self.candidates if c.energy is not None)
        enough = len(energies) >= max(2, options.min_scored)
        return enough and energies[1] - energies[0] >= options.margin
