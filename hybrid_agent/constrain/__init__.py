"""Constrained decoding: JSON Schema to token masks, narrowed to what the window shows.

`grammar(schema, tokenizer)` compiles any JSON Schema; `narrow` limits string fields to spans of a window;
`masking` (imported by its own name, needs torch) puts masks onto logits.
"""

from hybrid_agent.constrain.calls import CallGrammar, CallMatcher, NarrowedCalls
from hybrid_agent.constrain.compile import Grammar, grammar
from hybrid_agent.constrain.lexicon import Lexicon
from hybrid_agent.constrain.matcher import ConstraintError, Matcher, allowed, fill_masks
from hybrid_agent.constrain.narrow import covers, narrow
from hybrid_agent.constrain.spans import Spans, find_spans
from hybrid_agent.constrain.tool_prior import ToolTrie

__all__ = [
    "CallGrammar",
    "CallMatcher",
    "ConstraintError",
    "Grammar",
    "Lexicon",
    "Matcher",
    "NarrowedCalls",
    "Spans",
    "ToolTrie",
    "allowed",
    "covers",
    "fill_masks",
    "find_spans",
    "grammar",
    "narrow",
]
