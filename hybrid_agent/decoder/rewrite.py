"""Taking back an operand that repeats another one of its call, and going on with the next likeliest.

The grammar cannot forbid such calls (hybrid_agent.constrain.repeats), so a finished greedy one is looked at: the text
branches off at the likeliest other token within the repeated operand, and is written to its end from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.constrain.repeats import repeated
from hybrid_agent.decoder.choose import Picked, choices
from hybrid_agent.decoder.engine import SegmentEngine
from hybrid_agent.decoder.kv import Bias
from hybrid_agent.decoder.row import Draft, Sampling
from hybrid_agent.decoder.speculate import Shift

TRIES = 3


class Rewriter:
    """Rewrites drafts of one window.

    Args:
        engine: wrote the drafts.
        prompt: token ids.
        how: greedy sampling of one candidate.
        constraint: makes a matcher at the start of the call.
        token_bytes: of every token.
        bias, shift: as in `SegmentEngine.write`.
    """

    def __init__(
        self,
        engine: SegmentEngine,
        prompt: Sequence[int],
        how: Sampling,
        constraint: Callable[[], Matcher],
        token_bytes: Sequence[bytes],
        bias: Bias | None = None,
        shift: Shift | None = None,
    ) -> None:
        self.engine, self.prompt, self.how, self.constraint = engine, list(prompt), how, constraint
        self.token_bytes, self.bias, self.shift = token_bytes, bias, shift

    def rewrite(self, draft: Draft) -> Draft:
        """The draft, or its likeliest variant that repeats no operand; the draft itself if a few tries find none.

        Tokens of the tries are added to `engine.spent`.
        """
        found = self._repeated(draft.tokens)
        if found is None:
            return draft
        spent, forced = self.engine.spent
        best = draft
        for _, branch in sorted(self._branches(draft, *found), key=lambda pair: -pair[0])[:TRIES]:
            other = self._finish(branch)
            spent, forced = spent + self.engine.spent[0], forced + self.engine.spent[1]
            if other.complete and self._repeated(other.tokens) is None:
                best = other
                break
        self.engine.spent = (spent, forced)
        return best

    def _repeated(self, tokens: Sequence[int]) -> tuple[int, int] | None:
        """The tokens, from and to, that hold a repeated operand."""
        raw = b"".join(self.token_bytes[token] for token in tokens)
        text = raw.decode("utf-8", errors="replace")
        operand = repeated(text)
        if operand is None:
            return None
        start, end = len(text[: operand.start].encode()), len(text[: operand.end].encode())
        ends = np.cumsum([len(self.token_bytes[token]) for token in tokens])
        # The token that holds the first byte, to the one after the last: a longer name may begin like a shorter one.
        first = int(np.searchsorted(ends, start, side="right"))
        return first, min(int(np.searchsorted(ends, end, side="left")) + 2, len(tokens))

    def _branches(self, draft: Draft, first: int, last: int) -> list[tuple[float, Draft]]:
        """Beginnings that leave the draft within these tokens, with their log-probability from `first` on."""
        matcher = self.constraint()
        mask = np.zeros(matcher.words, np.int32)
        so_far = Draft()
        found: list[tuple[float, Draft]] = []
        begun = 0.0
        for place, token in enumerate(draft.tokens[:last]):
            if place == first:
                begun = so_far.logprob
            matcher.mask(mask)
            if int(np.bitwise_count(mask).sum()) > 1 and not _forced(matcher, token):
                extra = self.bias(so_far.tokens) if self.bias is not None else None
                logits = self.engine.after([*self.prompt, *so_far.tokens])
                choice = choices(logits, mask, extra, self.shift)
                taken = choice.where(token)
                if place >= first:
                    scores = choice.scores.copy()
                    scores[taken] = -np.inf
                    other = choice.picked(int(scores.argmax()))
                    branch = _counted(so_far, other)
                    branch.tokens.append(other.token)
                    found.append((branch.logprob - begun, branch))
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


def _forced(matcher: Matcher, token: int) -> bool:
    """Did the text have to go on with this token?"""
    return matcher.forced()[:1] == [token]


def _counted(draft: Draft, picked: Picked) -> Draft:
    """A copy of a draft that counts one more choice."""
    return replace(
        draft,
        tokens=list(draft.tokens),
        logprob=draft.logprob + picked.logprob,
        entropy=max(draft.entropy, picked.entropy),
        low=min(draft.low, picked.logprob),
    )
