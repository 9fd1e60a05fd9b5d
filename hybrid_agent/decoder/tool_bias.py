"""The planner's tool prior as a bias on the tokens of a tool's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybrid_agent.constrain import ToolTrie
from hybrid_agent.decoder.kv import Bias

_BEFORE_NAME = '{"tool":"'


def tool_bias(tools: ToolTrie, token_bytes: Sequence[bytes], prior: Mapping[str, float], weight: float) -> Bias:
    """From the tokens of a call so far to what is added to logits: nothing outside the tool's name.

    Args:
        tools: the names as tokens.
        token_bytes: of every token.
        prior: tool -> probability.
        weight: exponent of the prior.
    """
    before = len(_BEFORE_NAME.encode())

    def bias(written: Sequence[int]) -> Mapping[int, float]:
        size = at = 0
        while at < len(written) and size < before:
            size += len(token_bytes[written[at]])
            at += 1
        # A token that runs over into the name belongs to the name.
        at -= size > before
        return tools.bias(prior, written[at:], weight=weight) if size >= before else {}

    return bias
