"""Speculative decoding under the grammar: guess several tokens ahead, verify them in one forward pass.

Leviathan et al. 2023, "Fast inference from transformers via speculative decoding": a guess x drawn from q is kept with
probability min(1, p(x)/q(x)), and replaced by a draw from norm(max(0, p - q)) otherwise, so what is written is
distributed as p. Here p is the target's distribution as the plain engine would use it: biased, shifted, masked, at
its temperature. Tokens without a choice are neither guessed nor verified; they travel with the guesses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.constrain.matcher import allows
from hybrid_agent.decoder.choose import Choice, Picked, choices
from hybrid_agent.decoder.kv import Bias, KVModel, common
from hybrid_agent.decoder.row import Mark, Row

Bits = NDArray[np.int32]
Shift = NDArray[np.float32]


@dataclass
class Place:
    """A choice to be guessed: `text` is prompt and all tokens so far, the rest as the target will use it."""

    text: list[int]
    mask: Bits | None
    bias: Mapping[int, float] | None
    shift: Shift | None
    temperature: float
    rng: np.random.Generator


class Guess(NamedTuple):
    """A token, and the probabilities of the allowed tokens that it was drawn from; None: there was no other."""

    token: int
    chances: NDArray[np.float64] | None = None


class DraftSource(Protocol):
    """Guesses the next token. Whether it guesses at all may depend on the place only, not on what it drew."""

    name: str

    def guess(self, place: Place) -> Guess | None:
        """An allowed token, or None if there is nothing worth guessing."""
        ...


class PromptLookup:
    """What followed the last time the same few tokens stood in the text.

    Args:
        longest, shortest: lengths of the run of last tokens that is looked for, the longest first.
    """

    name = "lookup"

    def __init__(self, longest: int = 4, shortest: int = 2) -> None:
        self.longest, self.shortest = longest, shortest

    def guess(self, place: Place) -> Guess | None:
        """See `DraftSource`."""
        text = np.asarray(place.text, np.int64)
        ends = np.flatnonzero(text[:-1] == text[-1])  # where the last token stood before
        runs = np.ones(len(ends), np.int64)
        for back in range(1, self.longest):
            alike = (runs == back) & (ends >= back)
            alike[alike] = text[ends[alike] - back] == text[-1 - back] if back < len(text) else False
            runs += alike
        for at in sorted(np.flatnonzero(runs >= self.shortest).tolist(), key=lambda i: (-runs[i], -ends[i]))[:4]:
            token = int(text[ends[at] + 1])
            if place.mask is None or allows(place.mask, token):
                return Guess(token)
        return None


class SmallModel:
    """Another model with the same tokenizer.

    Args:
        model: with a cache of its own.
        sure: it guesses only if its likeliest token has at least this probability (under mask and bias).
    """

    name = "model"

    def __init__(self, model: KVModel, sure: float = 0.5) -> None:
        self.model, self.sure = model, sure
        self._text: list[int] = []

    def forget(self) -> None:
        """Drop the cache."""
        self._text = []

    def guess(self, place: Place) -> Guess | None:
        """See `DraftSource`."""
        if len(place.text) > self.model.context:
            return None
        known = min(common(self._text, place.text), len(place.text) - 1)
        logits = self.model.forward([0], [place.text[known:]], [known])[0].cpu().numpy()
        self._text = list(place.text)
        choice = choices(logits, place.mask, place.bias, place.shift)
        if self.sure * float(choice.weights.sum()) > 1.0:  # the best one's weight is 1
            return None
        at = choice.draw(place.temperature, place.rng)
        chances = choice.heated(place.temperature) if place.temperature > 0 else None
        return Guess(choice.picked(at).token, chances)


@dataclass
class SpeculationStats:
    """Counts since the start. `proposed` and `accepted` are by source; a guess after a rejected one counts as
    proposed. `rounds` are verifying forward passes, `plain` those without a guess, `switched_off` miss streaks."""

    proposed: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    rounds: int = 0
    plain: int = 0
    switched_off: int = 0

    @property
    def rate(self) -> float:
        """Accepted share of all guesses; 0 before the first."""
        return sum(self.accepted.values()) / max(1, sum(self.proposed.values()))


class _Step(NamedTuple):
    """One guess, with all that is needed to verify it or to take it back."""

    source: str
    guess: Guess
    mark: Mark
    bias: Mapping[int, float] | None
    tokens: list[int]


class Speculator:
    """Guesses and verifies for one row; switches itself off when its guesses are bad.

    Args:
        sources: asked in turn for each guess.
        length: guesses verified at once, at most.
        recent, least: off when of the last `recent` guesses fewer than this share were accepted.
        retry: on again after this many segments, or with the next episode.
    """

    def __init__(
        self, sources: Sequence[DraftSource], *, length: int = 6, recent: int = 32, least: float = 0.3, retry: int = 64
    ) -> None:
        self.sources, self.length, self.least, self.retry = tuple(sources), length, least, retry
        self.stats = SpeculationStats()
        self._recent: deque[bool] = deque(maxlen=recent)
        self._episode = ""
        self._wait = 0  # segments until the next try

    def ready(self, episode: str) -> bool:
        """Whether to speculate in the next segment; asked once a segment. `episode` says which one it belongs to."""
        if episode != self._episode:
            self._episode, self._wait = episode, 0
            self._recent.clear()
        self._wait = max(0, self._wait - 1)
        return bool(self.sources) and self._wait == 0

    def advance(
        self, model: KVModel, row: Row, text: list[int], end_id: int, bias: Bias | None, shift: Shift | None
    ) -> None:
        """One forward pass of the target: verify guesses for `row`, and make the choice after the last good one.

        `text` is what the row's cache holds, and is kept so.
        """
        pending, start = row.pending, len(text)
        steps = self._guesses(row, text + pending, model.context, end_id, bias, shift)
        # What the last guess brings along is not needed if it ends the text.
        fed = pending + [t for step in steps[: len(steps) - row.ended] for t in step.tokens]
        at = [len(pending) - 1]
        for step in steps[: len(steps) - row.ended]:
            at.append(at[-1] + len(step.tokens))
        if steps:
            self.stats.rounds += 1
            values = model.forward_all(row.index, fed, start, at).cpu().numpy()
        else:
            self.stats.plain += 1
            values = model.forward([row.index], [fed], [start]).cpu().numpy()
        text += pending
        good = 0
        for scores, step in zip(values, steps, strict=False):
            choice = choices(scores, step.mark.mask, step.bias, shift)
            picked, kept = verify(choice, step.guess, row.temperature, row.rng)
            row.count(choice, picked, step.mark.tokens, step.mark.forced)
            if not kept:
                row.back_to(step.mark)
                row.append(picked.token, end_id)
                break
            good += 1
            if good < len(values):
                text += step.tokens
        else:
            if not row.ended:
                extra = bias(row.draft.tokens) if bias is not None else None
                choice = choices(values[-1], row.mask, extra, shift)
                row.take(choice, choice.draw(row.temperature, row.rng), end_id)
        self._note(steps, good)

    def _guesses(
        self, row: Row, text: list[int], context: int, end_id: int, bias: Bias | None, shift: Shift | None
    ) -> list[_Step]:
        """Guess ahead; the row is left as if all guesses were right."""
        steps: list[_Step] = []
        while len(steps) < self.length and not row.ended:
            extra = bias(row.draft.tokens) if bias is not None else None
            place = Place(text, row.mask, extra, shift, row.temperature, row.rng)
            found = next(((s.name, g) for s in self.sources if (g := s.guess(place)) is not None), None)
            if found is None:
                break
            mark = row.mark()
            row.append(found[1].token, end_id)
            if len(text) + len(row.pending) > context:
                row.back_to(mark)
                break
            steps.append(_Step(*found, mark, extra, row.pending))
            text = text + row.pending
        return steps

    def _note(self, steps: Sequence[_Step], good: int) -> None:
        for number, step in enumerate(steps):
            self.stats.proposed[step.source] = self.stats.proposed.get(step.source, 0) + 1
            self.stats.accepted[step.source] = self.stats.accepted.get(step.source, 0) + (number < good)
            self._recent.append(number < good)
        if len(self._recent) == self._recent.maxlen and sum(self._recent) < self.least * len(self._recent):
            self.stats.switched_off += 1
            self._wait = self.retry + 1
            self._recent.clear()


def verify(choice: Choice, guess: Guess, temperature: float, rng: np.random.Generator) -> tuple[Picked, bool]:
    """Keep the guess, or draw another token: either way the outcome has the probabilities of `choice`.

    Args:
        choice: the target's.
        temperature: 0 keeps the guess if it is the best token and takes the best otherwise.

    Returns:
        the token with its figures, and whether it is the guess.
    """
    at = choice.where(guess.token)
    if temperature <= 0:
        return choice.picked(choice.best), at == choice.best
    wanted = choice.heated(temperature)
    drawn = np.zeros_like(wanted) if guess.chances is None else guess.chances
    q = 1.0 if guess.chances is None else float(drawn[at])
    if rng.random() * q < wanted[at]:
        return choice.picked(at), True
    if guess.chances is None:
        drawn[at] = 1.0
    sums = np.cumsum(np.maximum(wanted - drawn, 0.0))
    if sums[-1] <= 0:  # p and q are the same but for rounding
        return choice.picked(at), True
    other = min(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")), len(sums) - 1)
    return choice.picked(other), False
