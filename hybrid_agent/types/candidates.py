"""What the decoder wrote, and what the scorer says of it."""

from __future__ import annotations

from pydantic import Field

from hybrid_agent.types.record import Record


class Segment(Record):
    """One candidate: `text` is the JSON of a tool call; `logprob` its total log-probability (nats).

    `tokens` counts all emitted tokens, `forced` those appended without a forward pass. `entropy` is the largest
    entropy (nats) of any choice made in it and `low` the log-probability of its least likely choice. The scorer
    adds `energy` (lower is better) and `p`, the calibrated probability that the call is right. `expert` names
    the adapter that wrote it.
    """

    text: str
    logprob: float = 0.0
    energy: float | None = None
    tokens: int = 0
    forced: int = 0
    complete: bool = True
    entropy: float = 0.0
    low: float = 0.0
    p: float | None = None
    expert: str | None = None


class Score(Record):
    """What the scorer says of one candidate: energy (lower is better) and calibrated pass probability."""

    energy: float
    p: float = Field(ge=0, le=1)
