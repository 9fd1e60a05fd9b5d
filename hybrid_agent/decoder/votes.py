"""What the decoder writes greedily of one window under several namings (hybrid_agent.decoder.aliases), as votes.

A call should not depend on what things are called. The probability of a call is that of the mixture of namings, where a
text that was not written counts nothing: a lower bound that needs no further pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hybrid_agent.types import Segment

LEAST = 1e-30  # of a text's probability


def counted(ballots: Sequence[Segment]) -> list[Segment]:
    """The different texts among the ballots, in order, each with the log-probability of the mixture; all else is that
    of its first ballot."""
    found: dict[str, list[Segment]] = {}
    for segment in ballots:
        found.setdefault(segment.text, []).append(segment)
    return [_merged(same, len(ballots)) for same in found.values()]


def _merged(same: Sequence[Segment], ballots: int) -> Segment:
    share = sum(math.exp(min(0.0, segment.logprob)) for segment in same) / ballots
    return same[0].model_copy(update={"logprob": math.log(max(share, LEAST))})
