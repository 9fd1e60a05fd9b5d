"""Where a statement stands: in which function, alone on its lines or not, how far indented."""

from __future__ import annotations

import ast

from hybrid_agent.swe.operators.statements import block_of
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.source import Function


def host_of(scene: Scene, node: ast.stmt) -> Function | None:
    """The function around a statement that stands in a block with no other on its lines; None: there is no such."""
    function, source = scene.source.function(node), scene.source
    if function is None or not source.alone(node) or block_of(source, node) is None:
        return None
    return function


def host_before(scene: Scene, node: ast.AST) -> Function | None:
    """`host_of` a statement that another may be put before; None also for definitions, imports and elif."""
    if not isinstance(node, ast.stmt) or isinstance(node, Function | ast.ClassDef | ast.Import | ast.ImportFrom):
        return None
    return None if is_elif(scene, node) else host_of(scene, node)


def is_elif(scene: Scene, node: ast.AST) -> bool:
    """Whether it is the `elif` of another statement."""
    return isinstance(node, ast.If) and scene.source.text.startswith("elif", scene.source.span(node)[0])


def step_of(scene: Scene, function: Function) -> str:
    """One level of indentation as the function has it."""
    outer, inner = scene.source.indent(function.lineno), scene.source.indent(function.body[0].lineno)
    return inner[len(outer) :] or "    "
