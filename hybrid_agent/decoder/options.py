"""What a local decoder is made with: its switches, the names of its parts, and who may write a segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hybrid_agent.decoder.kv import KVModel
from hybrid_agent.types import Control

DRAFT, SHAPING, EXPERTS = "draft", "shaping", "experts"
BASE = "base"  # the name of the decoder itself among experts


@dataclass(frozen=True)
class DecoderOptions:
    """Switches, mostly for ablations.

    Attributes:
        constrained: calls are valid by construction; off, the model writes freely.
        spans: copied arguments are limited to what the window shows (needs `constrained`).
        aliases: words that the decoder has not read in training are shown to it as names that it knows.
        greedy_first: of several candidates the first is greedy.
        prior_weight: exponent of the planner's tool prior.
        threads: of torch, for the whole process; None leaves them. One is best for models of a few million
            parameters.
        lookup: where a segment may be speculated, tokens are also guessed from the prompt.
        guesses: tokens guessed ahead at most.
        sure: the draft model guesses only what it gives at least this probability.
    """

    constrained: bool = True
    spans: bool = True
    aliases: bool = True
    greedy_first: bool = True
    prior_weight: float = 1.0
    threads: int | None = None
    lookup: bool = True
    guesses: int = 6
    sure: float = 0.5


class Experts(Protocol):
    """Who writes a segment (hybrid_agent.decoder.experts.ExpertLibrary)."""

    def choose(self, control: Control, final: bool) -> str:
        """The name of the expert or mixture; a `final` segment is written by one expert."""
        ...

    def rows(self, name: str) -> KVModel:
        """Its model, with a cache of its own; the same object as long as it is kept."""
        ...
