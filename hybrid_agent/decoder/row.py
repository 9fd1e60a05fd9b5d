"""One text as it grows: what was written, what must follow, and how to take it back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.choose import Choice, Picked, choices
from hybrid_agent.decoder.kv import Bias


class Fork(NamedTuple):
    """A choice that was made: the draft's figures before it, the token that was taken, and the next likeliest ones."""

    tokens: int
    forced: int
    logprob: float
    entropy: float
    low: float
    taken: Picked
    others: tuple[Picked, ...]


@dataclass
class Draft:
    """One text as it grows.

    Attributes:
        tokens: what was written, without the end token.
        logprob: sum over chosen tokens, under mask and bias, at temperature 1.
        entropy: the largest entropy (nats) of any of these choices.
        low: log-probability of the least likely of them.
        forced: how many of `tokens` there was no choice about.
        forwards: forward passes that the row took part in after the prompt's.
        complete: the constraint is satisfied, or the end token was chosen.
        forks: its choices, if `Sampling.others` asks for them.
    """

    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    entropy: float = 0.0
    low: float = 0.0
    forced: int = 0
    forwards: int = 0
    complete: bool = False
    forks: list[Fork] = field(default_factory=list, repr=False, compare=False)

    def copy(self) -> Draft:
        """One that grows by itself."""
        return replace(self, tokens=list(self.tokens), forks=list(self.forks))


@dataclass
class Sampling:
    """How tokens are chosen: `temperature` 0 is greedy; row i draws from a generator seeded (seed, i). With
    `greedy_first`, row 0 of several is greedy. `others` is how many of the tokens that were not taken are noted at each
    choice. A text ends, incomplete, once its log-probability is below `least`."""

    k: int = 1
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int = 0
    greedy_first: bool = False
    others: int = 0
    least: float = -math.inf


class Mark(NamedTuple):
    """A place in a row to come back to; `mask` is that of the choice there."""

    tokens: int
    forced: int
    mask: np.ndarray | None


class Candidate:
    """One of the texts asked for: how it draws. Row 0 of several is greedy with `greedy_first`."""

    def __init__(self, index: int, how: Sampling) -> None:
        self.index = index
        greedy = how.greedy_first and how.k > 1 and index == 0
        self.temperature = 0.0 if greedy else how.temperature
        self.rng = np.random.default_rng([how.seed & 0xFFFFFFFF, index])


class Row:
    """A draft with its matcher, and the tokens that the cache has not seen yet.

    It stands for all candidates that are alike so far; they share its draft. `index` is the first one's, and the row
    of the cache.
    """

    def __init__(
        self, candidates: Sequence[Candidate], limit: int, matcher: Matcher | None, mask: np.ndarray | None
    ) -> None:
        self.candidates, self.limit, self.matcher, self.mask = list(candidates), limit, matcher, mask
        self.draft = Draft()
        self.others, self.least = 0, -math.inf
        self.pending: list[int] = []
        self.ended = False

    @classmethod
    def first(cls, how: Sampling, constraint: Callable[[], Matcher] | None, end_id: int) -> Row:
        """The one row that all candidates begin in; what must come first is pending."""
        matcher = constraint() if constraint else None
        mask = None if matcher is None else np.zeros(matcher.words, np.int32)
        row = cls([Candidate(index, how) for index in range(how.k)], how.max_tokens, matcher, mask)
        row.others, row.least = how.others, how.least
        if matcher is not None:
            row.follow(end_id)
        return row

    @classmethod
    def going_on(cls, index: int, how: Sampling, begun: Draft, constraint: Callable[[], Matcher], end_id: int) -> Row:
        """A row for one candidate that goes on from what is begun, of which nothing is pending; the draft is copied."""
        matcher = constraint()
        row = cls([Candidate(index, how)], how.max_tokens, matcher, np.zeros(matcher.words, np.int32))
        row.others, row.least, row.draft = how.others, how.least, begun.copy()
        matcher.advance(begun.tokens)
        row.follow(end_id)
        row.ended |= len(row.draft.tokens) >= row.limit
        return row

    @property
    def index(self) -> int:
        """The first candidate's number; where one text is written at a time, also the row of the cache."""
        return self.candidates[0].index

    @property
    def temperature(self) -> float:
        """Of the first candidate."""
        return self.candidates[0].temperature

    @property
    def rng(self) -> np.random.Generator:
        """Of the first candidate."""
        return self.candidates[0].rng

    def fork(self, candidates: Sequence[Candidate]) -> Row:
        """A row at the same place for some of the candidates, which leave this one."""
        matcher, mask = self.matcher, self.mask
        other = Row(candidates, self.limit, matcher and matcher.copy(), None if mask is None else mask.copy())
        other.draft, other.others, other.least = self.draft.copy(), self.others, self.least
        self.candidates = [c for c in self.candidates if c not in other.candidates]
        return other

    def draw(
        self, scores: NDArray[np.float32], bias: Bias | None, shift: NDArray[np.float32] | None, end_id: int
    ) -> list[Row]:
        """Draw the next token of each candidate from logits (vocab,); those that part from the first one get rows of
        their own, which are returned and need a copy of what the cache holds of this one."""
        choice = choices(scores, self.mask, bias(self.draft.tokens) if bias is not None else None, shift)
        drawn: dict[int, list[Candidate]] = {}
        for candidate in self.candidates:
            drawn.setdefault(choice.draw(candidate.temperature, candidate.rng), []).append(candidate)
        first, *others = drawn.items()
        forks = []
        for at, candidates in others:
            fork = self.fork(candidates)
            fork.take(choice, at, end_id)
            forks.append(fork)
        self.take(choice, first[0], end_id)
        return forks

    def take(self, choice: Choice, at: int, end_id: int) -> None:
        """Count a chosen token, append it and all that must follow it."""
        picked = choice.picked(at)
        self.count(choice, picked, len(self.draft.tokens), self.draft.forced)
        self.append(picked.token, end_id)
        if self.draft.logprob < self.least and not self.ended:
            self.ended = True

    def count(self, choice: Choice, picked: Picked, tokens: int, forced: int) -> None:
        """Add a choice, made after so many tokens, to the draft's figures."""
        draft = self.draft
        if self.others:
            others = choice.others(picked.token, self.others)
            draft.forks.append(Fork(tokens, forced, draft.logprob, draft.entropy, draft.low, picked, others))
        self.draft.logprob += picked.logprob
        self.draft.entropy = max(self.draft.entropy, picked.entropy)
        self.draft.low = min(self.draft.low, picked.logprob)

    def append(self, token: int, end_id: int) -> None:
        """Append a token and all that must follow it; they become `pending`."""
        self.pending = []
        if token == end_id:
            self.ended = self.draft.complete = True
            return
        self.pending = [token]
        self.draft.tokens.append(token)
        if self.matcher is not None:
            self.matcher.advance(self.pending)
            self.follow(end_id)
        self.ended |= len(self.draft.tokens) >= self.limit

    def follow(self, end_id: int) -> None:
        """Append what there is no choice about; leaves the mask of the next choice, or ends."""
        matcher, mask = self.matcher, self.mask
        assert matcher is not None and mask is not None
        while True:
            if matcher.is_done():
                self.ended = self.draft.complete = True
                return
            forced = matcher.forced()
            if not forced:
                matcher.mask(mask)
                if int(np.bitwise_count(mask).sum()) != 1:
                    return
                word = int(np.flatnonzero(mask)[0])
                forced = [word * 32 + int(mask[word : word + 1].view(np.uint32)[0]).bit_length() - 1]
                if forced[0] == end_id:
                    self.ended = self.draft.complete = True
                    return
            matcher.advance(forced)
            self.pending += forced
            self.draft.tokens += forced
            self.draft.forced += len(forced)

    def mark(self) -> Mark:
        """Remember this place, which is one of choice."""
        return Mark(len(self.draft.tokens), self.draft.forced, None if self.mask is None else self.mask.copy())

    def back_to(self, mark: Mark) -> None:
        """Take back all tokens since the mark (figures of `count` stay)."""
        if self.matcher is not None and self.mask is not None:
            self.matcher.rollback(len(self.draft.tokens) - mark.tokens)
            self.mask[:] = mark.mask
        del self.draft.tokens[mark.tokens :]
        self.draft.forced = mark.forced
        self.pending = []
        self.ended = self.draft.complete = False
