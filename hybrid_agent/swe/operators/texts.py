"""Strings."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.operators.names import close
from hybrid_agent.swe.scene import Scene


def string(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Another short string of the file, the empty string, other case, blanks added or taken away."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or len(node.value) > 40:
        return
    value = node.value
    if isinstance(scene.source.parents.get(node), ast.JoinedStr | ast.Expr):
        return
    options: dict[str, str] = {}
    for other in close(value, scene.strings, 8):
        options.setdefault(other, "text.seen")
    for other in ("", " ", ",", ", ", "\n", value.strip(), f"{value} ", f" {value}", value.lower(), value.upper()):
        options.setdefault(other, "text.made")
    for mode in ("r", "w", "a", "rb", "wb") if value in ("r", "w", "a", "rb", "wb", "rt", "wt") else ():
        options.setdefault(mode, "text.mode")
    for new, kind in options.items():
        if new != value:
            yield scene.replace(node, repr(new), kind)
