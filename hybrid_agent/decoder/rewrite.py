"""Mending slips of greedy calls that no grammar can forbid: something named twice, something left out.

A slip costs log-probability (hybrid_agent.constrain.slips says what counts as one). Where the greedy call
has any, the text also branches off at each of its choices, to the next likeliest tokens, and is written to its end from
there, the likeliest branches first; the best sum wins. Branches that cannot win are not written, so a call that the
model is sure of costs no more than a look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hybrid_agent.decoder.branches import Branches
from hybrid_agent.decoder.row import Draft

TRIES = 8
ROUNDS = 3  # a variant that still has a slip may be mended again


class Rewriter:
    """Rewrites drafts.

    Args:
        branches: of the texts that continue the prompt.
        token_bytes: of every token.
        slips: what the slips of a text weigh, in nats.
    """

    def __init__(self, branches: Branches, token_bytes: Sequence[bytes], slips: Callable[[str], float]) -> None:
        self.branches, self.token_bytes, self.slips = branches, token_bytes, slips

    def rewrite(self, draft: Draft) -> Draft:
        """The draft, or a variant of it that is better by log-probability less slips. A text that was cut off stays."""
        if not draft.complete:
            return draft
        for _ in range(ROUNDS):
            if self.cost(draft) == 0:
                break
            better = self._better(draft)
            if better is draft:
                break
            draft = better
        return draft

    def _better(self, draft: Draft) -> Draft:
        """The best of the draft and what branches off it."""
        best, value = draft, draft.logprob - self.cost(draft)
        for begun in self.branches.of(draft)[:TRIES]:
            if begun.logprob <= value:
                break
            other = self.branches.finished(begun)
            if other.complete and other.logprob - self.cost(other) > value:
                best, value = other, other.logprob - self.cost(other)
        return best

    def cost(self, draft: Draft) -> float:
        """What the slips of a draft weigh, in nats."""
        raw = b"".join(self.token_bytes[token] for token in draft.tokens)
        return self.slips(raw.decode("utf-8", errors="replace"))
