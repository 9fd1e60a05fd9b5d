"""Names of the figures that an energy is made of, what is known of each beforehand, and where weights start.

A figure that can only speak for a candidate never gets a weight against it, and the other way round; this keeps a fit
on few tasks from learning accidents. Weights are for ranks in -1..1 within the pool.
"""

from __future__ import annotations

GOOD = tuple(
    "parses returns_value return_kind_right whole_end word_cover word_overlap same_form same_text "
    "shape_medoid shape_near token_medoid token_near tree_medoid tree_near".split()
)
BAD = tuple(
    "comment_share hash_run empty undefined unused_parameters unused_locals falls_through mixed_returns "
    "return_kind_wrong several_kinds constant_only todo prints extra_asserts extra_code repeated_lines "
    "shape_surprise".split()
)
OPEN = tuple(
    "log_chars log_lines distinct_tokens raises returns_parameter changes_parameter log_nodes depth cyclomatic loops "
    "nested_loops comprehensions calls recursive inner_functions local_imports try_blocks isinstance_checks numbers "
    "early_return statements".split()
)
NAMES = GOOD + BAD + OPEN

START = {
    "shape_medoid": 0.5, "token_medoid": 0.5, "tree_medoid": 0.25, "shape_near": 0.25, "returns_value": 0.25,
    "parses": 0.25, "empty": -0.25, "falls_through": -0.25, "undefined": -0.5, "unused_parameters": -0.25,
    "comment_share": -0.25,
}  # fmt: skip
