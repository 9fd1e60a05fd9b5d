"""Comparisons, and/or/not, and the tests of if and while."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit, Splice
from hybrid_agent.swe.scene import Scene, cut
from hybrid_agent.swe.source import Function

SYMBOL: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
OTHERS = {
    "<": ("<=", ">", ">=", "!=", "=="), "<=": ("<", ">=", ">", "=="), ">": (">=", "<", "<=", "!=", "=="),
    ">=": (">", "<=", "<", "=="), "==": ("!=", "<=", ">=", "in", "is"), "!=": ("==", "<", ">", "is not", "not in"),
    "is": ("is not", "=="), "is not": ("is", "!="), "in": ("not in", "=="), "not in": ("in", "!="),
}  # fmt: skip


def comparison(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Another comparison in its place."""
    if not isinstance(node, ast.Compare):
        return
    left: ast.expr = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        start, end = scene.source.end(left), scene.source.span(right)[0]
        between, symbol = scene.source.text[start:end], SYMBOL[type(op)]
        if " ".join(between.split()) == symbol or between.strip(" ()") == symbol:
            for new in OTHERS[symbol]:
                put = between.replace(between.strip(" ()\\\r\n\t"), new)
                if new[0].isalpha() and not put.startswith(" "):
                    put = f" {put} "
                note = f"`{symbol}` -> `{new}` in `{cut(scene.text(node))}`"
                yield Edit(scene.source.path, (Splice(start, end, put),), f"compare.{symbol}_{new}", node.lineno, note)
        left = right


def logic(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """`and` for `or`, an operand left out, `not` taken away, branches of a conditional expression exchanged."""
    if isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        splices = []
        for one, other in zip(node.values, node.values[1:], strict=False):
            start, end = scene.source.end(one), scene.source.span(other)[0]
            splices.append(Splice(start, end, scene.source.text[start:end].replace(old, new, 1)))
        yield Edit(scene.source.path, tuple(splices), "logic.and_or", node.lineno, f"`{old}` -> `{new}`")
        for place in range(len(node.values)):
            kept = [scene.text(value) for at, value in enumerate(node.values) if at != place]
            yield scene.replace(node, f" {old} ".join(kept), "logic.drop")
        for value in node.values:
            if not isinstance(value, ast.UnaryOp | ast.Compare):
                yield scene.replace(value, f"not {scene.bracketed(value)}", "logic.not_operand")
            if isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
                yield scene.replace(value, f"{scene.text(value)} is not None", "test.is_not_none")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield scene.replace(node, scene.bracketed(node.operand), "logic.not_away")
        if isinstance(node.operand, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            yield scene.replace(node, f"{scene.text(node.operand)} is None", "test.is_none")
    elif isinstance(node, ast.IfExp):
        yield scene.swap(node.body, node.orelse, "logic.branches")
        if isinstance(node.test, ast.Name | ast.Attribute | ast.Subscript):
            yield scene.replace(node.test, f"{scene.text(node.test)} is not None", "test.is_not_none")
        yield scene.replace(node, scene.text(node.body), "logic.first")
        yield scene.replace(node, scene.text(node.orelse), "logic.second")


def tests(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """The test of an if or while negated, made weaker or stronger by a condition seen in the function."""
    if not isinstance(node, ast.If | ast.While | ast.Return | ast.Assert):
        return
    test = node.value if isinstance(node, ast.Return) else node.test
    if test is None or (isinstance(node, ast.Return) and not isinstance(test, ast.Compare | ast.BoolOp | ast.Call)):
        return
    text = scene.bracketed(test)
    if not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
        yield scene.replace(test, f"not {text}", "test.not")
    if isinstance(node, ast.If | ast.While) and isinstance(test, ast.Name | ast.Attribute):
        yield scene.replace(test, f"{text} is not None", "test.is_not_none")
        yield scene.replace(test, f"{text} is None", "test.is_none")
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and _is_none(test.comparators[0]):
        yield scene.replace(test, scene.text(test.left), "test.truth")
        yield scene.replace(test, f"not {scene.bracketed(test.left)}", "test.untruth")
    function = scene.source.function(node)
    if function is None:
        return
    if function not in scene.conditions:
        scene.conditions[function] = list(_conditions(scene, function))
    seen = dict.fromkeys(scene.conditions[function])
    for name in scene.names_in(function)[:4]:
        seen[name] = None
        seen[f"not {name}"] = None
        seen[f"{name} is not None"] = None
    own = scene.text(test)
    for other in list(seen)[:14]:
        if other not in own:
            yield scene.replace(test, f"{_operand(own)} and {other}", "test.and")
            yield scene.replace(test, f"{_operand(own)} or {other}", "test.or")


def _conditions(scene: Scene, function: Function) -> Iterator[str]:
    for node in scene.nodes_of(function):
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            parts = node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]
            for part in parts:
                text = scene.text(part)
                if "\n" not in text and len(text) <= 60:
                    yield text if not isinstance(part, ast.BoolOp | ast.IfExp | ast.NamedExpr) else f"({text})"


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _operand(text: str) -> str:
    return f"({text})" if " or " in text or " and " in text or " if " in text or ":=" in text else text
