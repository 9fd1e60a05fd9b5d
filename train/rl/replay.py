"""Which tokens of a text were choices, and among what: the grammar runs over the finished text once more.

Forced tokens carry no loss, and a ratio of probabilities means something only if both are taken under the mask that
the text was drawn under.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.errors import HybridAgentError


@dataclass(frozen=True)
class Choices:
    """The n choices of a text.

    Attributes:
        at: (n,) index of the chosen token within the text; the text's length for the end token.
        tokens: (n,) what was chosen.
        masks: uint8 (n, bytes): bit i%8 of byte i//8 allows token i; None allows all.
    """

    at: NDArray[np.int64]
    tokens: NDArray[np.int64]
    masks: NDArray[np.uint8] | None


def choices_of(
    tokens: Sequence[int], end_id: int, constraint: Callable[[], Matcher] | None, ended: bool = True
) -> Choices:
    """Replay a text.

    Args:
        tokens: the text, without the end token.
        end_id: the end token, a choice of its own where the text might have gone on.
        constraint: makes the matcher that the text was drawn under; None: drawn freely.
        ended: the text is complete.

    Raises:
        HybridAgentError: the text cannot have been drawn under this constraint.
    """
    if constraint is None:
        every = [*tokens, end_id] if ended else list(tokens)
        return Choices(np.arange(len(every)), np.array(every, np.int64), None)
    matcher, at, chosen, masks = constraint(), list[int](), list[int](), list[NDArray[np.uint8]]()
    place, mask = 0, np.zeros(matcher.words, np.int32)
    while not matcher.is_done():
        forced = matcher.forced()
        if not forced:
            matcher.mask(mask)
            if int(np.bitwise_count(mask).sum()) != 1:
                token = tokens[place] if place < len(tokens) else end_id
                if place == len(tokens) and not ended:
                    break
                if not mask[token // 32] >> (token % 32) & 1:
                    raise HybridAgentError(f"token {place} of a stored text is not allowed by its grammar")
                at.append(place)
                chosen.append(token)
                masks.append(mask.view(np.uint8).copy())
                if token == end_id:
                    break
                forced = [token]
            else:
                word = int(np.flatnonzero(mask)[0])
                forced = [word * 32 + int(mask[word : word + 1].view(np.uint32)[0]).bit_length() - 1]
                if forced[0] == end_id:
                    break
        if list(tokens[place : place + len(forced)]) != forced:
            if not ended and place + len(forced) > len(tokens):
                break  # cut short within what was forced
            raise HybridAgentError(f"a stored text does not go on with what its grammar forces at {place}")
        matcher.advance(forced)
        place += len(forced)
    width = matcher.words * 4
    stacked = np.stack(masks) if masks else np.zeros((0, width), np.uint8)
    return Choices(np.array(at, np.int64), np.array(chosen, np.int64), stacked)
