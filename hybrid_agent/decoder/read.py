"""What the decoder thinks of a call that it did not write: its log-probability under the window's grammar.

A text that the grammar allows gets the figures that the decoder would have reported, had it written that text. From
the first token on that the grammar does not allow, the whole vocabulary counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hybrid_agent.constrain.matcher import Matcher, allows
from hybrid_agent.decoder.choose import choices
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.types import Segment, Window


class Reader:
    """Reads with one decoder (its base, without experts or shaping). Not for use by several threads at once."""

    def __init__(self, decoder: HfDecoder) -> None:
        self.decoder, self.engine = decoder, decoder.engine

    def read(self, window: Window, texts: Sequence[str]) -> list[Segment]:
        """Each text with logprob, entropy and low as `Segment` defines them, its tokens and the forced among them.

        A text that does not fit the context behind the prompt is read as far as it does.
        """
        alias = self.decoder.aliases.of(window)
        ids, room = self.decoder.encode(alias.window)
        constraint = self.decoder.constraint(alias.window)
        read = [self._read(ids, room, alias.swapped_call(text), constraint() if constraint else None) for text in texts]
        return [segment.model_copy(update={"text": text}) for segment, text in zip(read, texts, strict=True)]

    def _read(self, ids: Sequence[int], room: int, text: str, matcher: Matcher | None) -> Segment:
        tokens = self.decoder.tokenizer.encode(text, add_special_tokens=False)[:room]
        logprob = entropy = low = 0.0
        forced = 0
        logits = self.engine.along(ids, tokens)
        mask = np.zeros(matcher.words, np.int32) if matcher is not None else None
        for token, scores in zip(tokens, logits, strict=True):
            if matcher is not None and mask is not None:
                must = matcher.forced()
                if must[0] == token if must else _only(matcher.mask(mask), token):
                    matcher.advance([token])
                    forced += 1
                    continue
                if must or not allows(mask, token):
                    matcher = mask = None  # no call that the grammar knows
            choice = choices(scores, mask)
            picked = choice.picked(choice.where(token))
            logprob += picked.logprob
            entropy, low = max(entropy, picked.entropy), min(low, picked.logprob)
            if matcher is not None:
                matcher.advance([token])
        return Segment(text=text, logprob=logprob, tokens=len(tokens), forced=forced, entropy=entropy, low=low)


def _only(mask: np.ndarray, token: int) -> bool:
    """Whether a mask allows this token and no other."""
    return allows(mask, token) and int(np.bitwise_count(mask).sum()) == 1
