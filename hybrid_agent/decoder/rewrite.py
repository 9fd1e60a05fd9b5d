"""Taking back an operand that repeats another one of its call, and going on with the next likeliest.

The grammar cannot forbid such calls (hybrid_agent.constrain.repeats), so a finished greedy one is looked at: the text
branches off at the likeliest other token within one of the two places, and is written to its end from there.
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

TRIES = 6


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
        for _, branch in sorted(self._branches(draft, found), key=lambda pair: -pair[0])[:TRIES]:
            other = self._finish(branch)
            spent, forced = spent + self.engine.spent[0], forced + self.engine.spent[1]
            if other.complete and self._repeated(other.tokens) is None:
                best = other
                break
        self.engine.spent = (spent, forced)
        return best

    def _repeated(self, tokens: Sequence[int]) -> list[range] | None:
        """The tokens of both places of a repeated operand."""
        raw = b"".join(self.token_bytes[token] for token in tokens)
        text = raw.decode("utf-8", errors="replace")
        places = repeated(text)
        if places is None:
            return None
        ends = np.cumsum([len(self.token_bytes[token]) for token in tokens])
        found = []
        for place in places:
            start, end = len(text[: place.start].encode()), len(text[: place.end].encode())
            first = int(np.searchsorted(ends, start, side="right"))
            # One token beyond the last: a longer name may begin like a shorter one.
            found.append(range(first, min(int(np.searchsorted(ends, end, side="left")) + 2, len(tokens))))
        return found

    def _branches(self, draft: Draft, places: Sequence[range]) -> list[tuple[float, Draft]]:
        """Beginnings that leave the draft within these tokens, with their log-probability."""
        matcher = self.constraint()
        mask = np.zeros(matcher.words, np.int32)
        so_far = Draft()
        found: list[tuple[float, Draft]] = []
        for at, token in enumerate(draft.tokens[: places[-1].stop]):
            matcher.mask(mask)
            if int(np.bitwise_count(mask).sum()) > 1 and matcher.forced()[:1] != [token]:
                extra = self.bias(so_far.tokens) if self.bias is not None else None
                choice = choices(self.engine.after([*self.prompt, *so_far.tokens]), mask, extra, self.shift)
                taken = choice.where(token)
                if any(at in place for place in places):
                    scores = choice.scores.copy()
                    scores[taken] = -np.inf
                    other = choice.picked(int(scores.argmax()))
                    branch = _counted(so_far, other)
                    branch.tokens.append(other.token)
                    found.append((branch.logprob, branch))
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
