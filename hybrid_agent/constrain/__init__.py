"""Constrained decoding: JSON Schema to token masks, narrowed to what the window shows.

`grammar(schema, tokenizer)` compiles any JSON Schema; `narrow` limits string fields to spans of a window;
`masking` (imported by its own name, needs torch) puts masks onto logits.
"""

from hybrid_agent.constrain.compile import Grammar, grammar
from hybrid_agent.constrain.matcher import ConstraintError, Matcher, allowed, fill_masks

__all__ = ["ConstraintError", "Grammar", "Matcher", "allowed", "fill_masks", "grammar"]
