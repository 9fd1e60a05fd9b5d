"""Texts that leave a draft at one of its choices, to the next likeliest tokens, and are written greedily from there.

A model that is sure of itself repeats its greedy text when it is sampled; branches are different texts by
construction, the likeliest first (compare the branching of Wang and Zhou 2024, "Chain-of-thought reasoning without
prompting"). At a temperature they are drawn without repeats in proportion to exp(logprob / temperature), by adding
Gumbel noise (Kool et al. 2019, "Stochastic beams and where to find them").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.choose import Picked, choices
from hybrid_agent.decoder.engine import SegmentEngine
from hybrid_agent.decoder.kv import Bias
from hybrid_agent.decoder.row import Draft, Sampling
from hybrid_agent.decoder.speculate import Shift, Speculator

WIDTH = 2  # other tokens looked at in one place
FAR = 14.0  # nats: what is so much less likely than the draft is not worth writing


class Branches:
    """Branches of drafts that continue one prompt.

    Args:
        engine: wrote the drafts.
        prompt: token ids.
        how: greedy, one candidate.
        constraint: makes a matcher at the start of the text.
        bias, shift, speculator: as in `SegmentEngine.write`.

    Attributes:
        greedy: the greedy text.
        spent: tokens written so far, and how many of them were forced.
    """

    def __init__(
        self,
        engine: SegmentEngine,
        prompt: Sequence[int],
        how: Sampling,
        constraint: Callable[[], Matcher],
        bias: Bias | None = None,
        shift: Shift | None = None,
        speculator: Speculator | None = None,
    ) -> None:
        self.engine, self.prompt, self.how, self.constraint = engine, list(prompt), how, constraint
        self.bias, self.shift = bias, shift
        self.greedy = engine.write(prompt, how, constraint, bias, None, shift, speculator)[0]
        self.spent = engine.spent

    def of(self, draft: Draft) -> list[Draft]:
        """Beginnings that leave a draft at one of its choices, the likeliest first."""
        matcher = self.constraint()
        mask = np.zeros(matcher.words, np.int32)
        so_far = Draft()
        found: list[Draft] = []
        for token in draft.tokens:
            matcher.mask(mask)
            if int(np.bitwise_count(mask).sum()) > 1 and matcher.forced()[:1] != [token]:
                extra = self.bias(so_far.tokens) if self.bias is not None else None
                choice = choices(self.engine.after([*self.prompt, *so_far.tokens]), mask, extra, self.shift)
                taken = choice.where(token)
                likely = [int(at) for at in np.argsort(-choice.scores, kind="stable")[: WIDTH + 1] if at != taken]
                for other in map(choice.picked, likely[:WIDTH]):
                    branch = _counted(so_far, other)
                    branch.tokens.append(other.token)
                    found.append(branch)
                so_far = _counted(so_far, choice.picked(taken))
            else:
                so_far.forced += 1
            so_far.tokens.append(token)
            matcher.advance([token])
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

    def finish(self, begun: Draft) -> Draft:
        """Write a beginning to its end, greedily."""
        matcher = self.constraint()
        matcher.advance(begun.tokens)
        room = self.how.max_tokens - len(begun.tokens)
        self.engine.spent = (0, 0)
        if room < 1:
            return begun
        written = self.engine.write(
            [*self.prompt, *begun.tokens],
            replace(self.how, max_tokens=room),
            lambda: matcher,
            self.bias and (lambda tokens: self.bias([*begun.tokens, *tokens])),  # type: ignore[misc]
            shift=self.shift,
        )
        self.spent = (self.spent[0] + self.engine.spent[0], self.spent[1] + self.engine.spent[1])
        if not written:
            return begun
        rest = written[0]
        return Draft(
            tokens=[*begun.tokens, *rest.tokens],
            logprob=begun.logprob + rest.logprob,
            entropy=max(begun.entropy, rest.entropy),
            low=min(begun.low, rest.low),
            forced=begun.forced + rest.forced,
            forwards=begun.forwards + rest.forwards + 1,
            complete=rest.complete,
        )


def _counted(draft: Draft, picked: Picked) -> Draft:
    """A copy of a draft that counts one more choice."""
    return replace(
        draft,
        tokens=list(draft.tokens),
        logprob=draft.logprob + picked.logprob,
        entropy=max(draft.entropy, picked.entropy),
        low=min(draft.low, picked.logprob),
    )
