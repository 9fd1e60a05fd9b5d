"""What the decoder thinks of candidates that it did not write."""

from __future__ import annotations

from hybrid_agent.decoder.read import Reader
from hybrid_agent.traces.contexts import Candidate, Context

SEEN = ("logprob", "tokens", "forced", "entropy", "low")


def figures(reader: Reader, context: Context, written_too: bool = False) -> Context:
    """The context with what the decoder thinks of its candidates.

    Args:
        written_too: also of those that it (or another decoder) wrote.
    """
    mine = [at for at, one in enumerate(context.candidates) if written_too or one.stratum != "sampled"]
    read = reader.read(context.window, [context.candidates[at].segment.text for at in mine])
    found: list[Candidate] = list(context.candidates)
    for at, segment in zip(mine, read, strict=True):
        seen = found[at].segment.model_copy(update={name: getattr(segment, name) for name in SEEN})
        found[at] = found[at].model_copy(update={"segment": seen})
    return context.model_copy(update={"candidates": tuple(found)})
