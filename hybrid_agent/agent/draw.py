"""The candidates of one turn as they come: merged, counted, scored in batches, stopped when the case is clear."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hybrid_agent.protocols import Decoder, Scorer
from hybrid_agent.types import Budget, Control, Effort, Segment, Window

if TYPE_CHECKING:
    from hybrid_agent.agent.select import SelectOptions


@dataclass(frozen=True)
class Drawn:
    """What a `DrawingDecoder` has drawn: `candidates` are the known ones as they are now, then the new ones; `effort`
    counts the new ones."""

    candidates: Sequence[Segment]
    effort: Effort
    score_ms: float


class DrawingDecoder(Protocol):
    """A decoder that has candidates scored where it runs, and stops there when the case is clear.

    The loop uses it in place of `propose` where energies may end a turn early. `known` are the turn's candidates so
    far; `margin`, `min_scored` and `batch` are those of `SelectOptions`.
    """

    def draw(
        self,
        window: Window,
        budget: Budget,
        control: Control,
        known: Sequence[Segment],
        *,
        margin: float,
        min_scored: int,
        batch: int,
    ) -> Drawn:
        """What `Draw.add` would have collected with this decoder and its scorer."""
        ...


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
        draw, options = getattr(self.decoder, "draw", None), self.options
        if draw is not None and options.margin is not None and self.scorer is not None and options.rank == "energy":
            rule = {"margin": options.margin, "min_scored": options.min_scored, "batch": options.batch}
            drawn: Drawn = draw(self.window, budget, control, tuple(self.candidates), **rule)
            self.candidates[:] = drawn.candidates
            self.score_ms += drawn.score_ms
            self._count(drawn.effort)
            return
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
        cancelled = max(0, budget.k - len(came)) if early else 0
        self._count(Effort(k=budget.k, drawn=len(came), cancelled=cancelled, early=early, tokens=tokens, forced=forced))

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

    def _count(self, more: Effort) -> None:
        count = self.effort
        names = ("k", "drawn", "cancelled", "tokens", "forced")
        sums = {name: getattr(count, name) + getattr(more, name) for name in names}
        self.effort = count.model_copy(update={**sums, "early": count.early or more.early})

    def _keep(self, segment: Segment) -> None:
        """Texts count once; one that comes again with another log-probability is scored anew."""
        for at, known in enumerate(self.candidates):
            if segment.text == known.text:
                if segment.logprob != known.logprob:
                    self.candidates[at] = segment
                return
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
