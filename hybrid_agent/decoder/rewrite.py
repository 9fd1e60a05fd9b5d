"""Mending slips of greedy calls that no grammar can forbid: something named twice, something left out.

A slip costs log-probability (hybrid_agent.constrain.slips says what counts as one). Where the greedy call
has any, the text also branches off at each of its choices, to the next likeliest tokens, and is written to its end from
there, the likeliest branches first; the best sum wins. Branches that cannot win are not written, so a call that the
model is sure of costs no more than a look.
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
from hybrid_agent.decoder.speculate import Shift

WIDTH = 2  # other tokens looked at in one place
TRIES = 8
ROUNDS = 3  # a variant that still has a slip may be mended again


class Rewriter:
    """Rewrites drafts.

    Args:
        engine: wrote the drafts.
        prompt: token ids.
        how: greedy sampling of one candidate.
        constraint: makes a matcher at the start of the call.
        token_bytes: of every token.
        slips: what the slips of a text weigh, in nats.
        bias, shift: as in `SegmentEngine.write`.
    """

    def __init__(
        self,
        engine: SegmentEngine,
        prompt: Sequence[int],
        how: Sampling,
        constraint: Callable[[], Matcher],
        token_bytes: Sequence[bytes],
        slips: Callable[[str], float],
        bias: Bias | None = None,
        shift: Shift | None = None,
    ) -> None:
        self.engine, self.prompt, self.how, self.constraint = engine, list(prompt), how, constraint
        self.token_bytes, self.bias, self.shift = token_bytes, bias, shift
        self.slips = slips
        self.tried = (0, 0)

    def rewrite(self, draft: Draft) -> Draft:
        """The draft, or a variant of it that is better by log-probability less slips. A text that was cut off stays.

        Tokens of the tries are added to `engine.spent`.
        """
        if not draft.complete:
            return draft
        self.tried = self.engine.spent
        for _ in range(ROUNDS):
            if self.cost(draft) == 0:
                break
            better = self._better(draft)
            if better is draft:
                break
            draft = better
        self.engine.spent = self.tried
        return draft

    def _better(self, draft: Draft) -> Draft:
        """The best of the draft and what branches off it."""
        best, value = draft, draft.logprob - self.cost(draft)
        branches = sorted(self._branches(draft), key=lambda branch: -branch.logprob)
        for branch in branches[:TRIES]:
            if branch.logprob <= value:
                break
            other = self._finish(branch)
            self.tried = (self.tried[0] + self.engine.spent[0], self.tried[1] + self.engine.spent[1])
            if other.complete and other.logprob - self.cost(other) > value:
                best, value = other, other.logprob - self.cost(other)
        return best

    def cost(self, draft: Draft) -> float:
        """What the slips of a draft weigh, in nats."""
        raw = b"".join(self.token_bytes[token] for token in draft.tokens)
        return self.slips(raw.decode("utf-8", errors="replace"))

    def _branches(self, draft: Draft) -> list[Draft]:
        """Beginnings that leave the draft at one of its choices, to the next likeliest tokens there."""
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
        return found

    def _finish(self, begun: Draft) -> Draft:
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
