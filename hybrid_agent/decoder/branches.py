"""Texts that leave a draft at one of its choices, to the next likeliest tokens, and are written greedily from there.

A model that is sure of itself repeats its greedy text when it is sampled; branches are different texts by
construction, the likeliest first (compare the branching of Wang and Zhou 2024, "Chain-of-thought reasoning without
prompting"). At a temperature they are drawn without repeats in proportion to exp(logprob / temperature), by adding
Gumbel noise (Kool et al. 2019, "Stochastic beams and where to find them").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.choose import Picked
from hybrid_agent.decoder.engine import SegmentEngine, Watch
from hybrid_agent.decoder.kv import Bias
from hybrid_agent.decoder.row import Draft, Sampling
from hybrid_agent.decoder.speculate import Shift

NOTED = 2  # other tokens looked at in one place
FAR = 9.0  # nats: what is so much less likely than the greedy text is not worth writing
LONGER = 2.0, 24  # nor what grows beyond so many times the greedy text and so many tokens more


class Branches:
    """Branches of drafts that continue one prompt.

    Args:
        engine: wrote the drafts.
        prompt: token ids.
        how: greedy, one candidate.
        constraint: makes a matcher at the start of the text.
        bias, shift: as in `SegmentEngine.write`.
        greedy: the greedy text, written with `NOTED` of the tokens that were not taken.
    """

    def __init__(
        self,
        engine: SegmentEngine,
        prompt: Sequence[int],
        how: Sampling,
        constraint: Callable[[], Matcher],
        bias: Bias | None,
        shift: Shift | None,
        greedy: Draft,
    ) -> None:
        self.engine, self.prompt, self.constraint, self.how = engine, list(prompt), constraint, how
        self.bias, self.shift, self.greedy = bias, shift, greedy
        self.spent = (0, 0)  # tokens written beyond the greedy text, and how many of them were forced

    def of(self, draft: Draft) -> list[Draft]:
        """Beginnings that leave a draft at one of its choices, the likeliest first."""
        found = [_leaving(draft, at, other) for at, fork in enumerate(draft.forks) for other in fork.others]
        return sorted(found, key=lambda branch: -branch.logprob)

    def drawn(self, temperature: float, seed: int) -> list[Draft]:
        """Beginnings of the greedy text's branches but the hopeless ones, in an order drawn at a temperature (0: the
        likeliest first)."""
        found = [begun for begun in self.of(self.greedy) if begun.logprob > self.greedy.logprob - FAR]
        if temperature <= 0:
            return found
        noise = np.random.default_rng([seed & 0xFFFFFFFF, len(found)]).gumbel(size=len(found))
        order = np.argsort(-(np.array([b.logprob for b in found]) / temperature + noise), kind="stable")
        return [found[at] for at in order]

    def finish_some(self, temperature: float, seed: int, wanted: Callable[[], int], watch: Watch) -> None:
        """Write branches of the greedy text, drawn as in `drawn`, numbered from 1, until no more are `wanted` (two may
        come to the same text, so that takes more than one round at times) or `watch` does not want the rest."""
        begun, number = self.drawn(temperature, seed), 1
        times, more = LONGER
        room = min(self.how.max_tokens, int(times * len(self.greedy.tokens)) + more)
        how = replace(self.how, max_tokens=room, least=self.greedy.logprob - FAR)
        while begun and (count := wanted()) > 0:
            if self.finish(begun[:count], partial(_numbered, watch, number), how):
                break
            begun, number = begun[count:], number + count

    def finish(self, begun: Sequence[Draft], watch: Watch | None = None, how: Sampling | None = None) -> bool:
        """Write beginnings to their end, greedily and side by side; they are told of as in `SegmentEngine.write`.

        Args:
            how: other limits than those of the greedy text.

        Returns:
            whether `watch` did not want the rest.
        """
        over = False

        def told(row: int, draft: Draft) -> bool:
            nonlocal over
            over = (watch is not None and watch(row, draft)) or over
            return over

        self.engine.go_on(self.prompt, how or self.how, begun, self.constraint, self.bias, told, self.shift)
        # What a beginning shares with its draft was written there.
        tokens, forced = self.engine.spent
        shared = sum(len(draft.tokens) - 1 for draft in begun)
        self.spent = (self.spent[0] + tokens - shared, self.spent[1] + forced - sum(d.forced for d in begun))
        return over

    def finished(self, begun: Draft) -> Draft:
        """One beginning written to its end; the beginning itself if there is no room for an end."""
        found = begun

        def told(_: int, draft: Draft) -> bool:
            nonlocal found
            found = draft
            return False

        self.finish([begun], told)
        return found


def _numbered(watch: Watch, first: int, row: int, draft: Draft) -> bool:
    return watch(first + row, draft)


def _leaving(draft: Draft, at: int, other: Picked) -> Draft:
    """What is written of a draft before one of its choices, and another token there."""
    fork = draft.forks[at]
    rest = (fork.taken, *(token for token in fork.others if token != other))
    return Draft(
        tokens=[*draft.tokens[: fork.tokens], other.token],
        logprob=fork.logprob + other.logprob,
        entropy=max(fork.entropy, other.entropy),
        low=min(fork.low, other.logprob),
        forced=fork.forced,
        forks=[*draft.forks[:at], fork._replace(taken=other, others=rest)],
    )
