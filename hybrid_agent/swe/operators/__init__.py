"""Edit operators: each looks at one statement or expression and yields edits. `all_edits` runs every one of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator

from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.operators import (
    bounds,
    calls,
    cases,
    conditions,
    insert,
    names,
    numbers,
    reuse,
    statements,
    texts,
)
from hybrid_agent.swe.scene import Scene, expressions
from hybrid_agent.swe.source import Function

Operator = Callable[[Scene, ast.AST], Iterator[Edit]]

# In the order in which people would try them; the `operator` order of the search follows it.
ON_EXPRESSIONS: tuple[Operator, ...] = (
    conditions.comparison,
    conditions.logic,
    numbers.constant,
    numbers.off_by_one,
    numbers.arithmetic,
    numbers.slices,
    names.variable,
    names.attribute,
    names.callee,
    calls.arguments,
    calls.wrapping,
    texts.string,
    cases.comparisons,
    cases.in_order,
    cases.membership,
    cases.division,
    cases.choices,
    bounds.extremes,
    bounds.cuts,
    bounds.offsets,
    bounds.extended,
    bounds.deeper,
    reuse.known_arguments,
    reuse.methods,
    reuse.helpers,
    reuse.everywhere,
    reuse.literals,
    reuse.joined,
)
ON_STATEMENTS: tuple[Operator, ...] = (
    conditions.tests,
    numbers.augmented,
    statements.control,
    statements.returns,
    statements.removal,
    statements.order,
    statements.blocks,
    statements.handlers,
    insert.guards,
    insert.seen_statements,
    insert.defaults,
    cases.around,
    cases.limits,
    cases.entries,
    bounds.kept,
    bounds.exchanged,
    reuse.guards_seen,
    reuse.parts_kept,
)
FAMILIES = ("compare", "logic", "number", "offbyone", "arith", "slice", "name", "attr", "callee", "args", "wrap",
            "text", "test", "augment", "control", "return", "remove", "order", "block", "handler", "guard", "insert",
            "default", "import", "memory", "decoder")  # fmt: skip


def all_edits(scene: Scene, lines: Collection[int]) -> Iterator[Edit]:
    """Every edit of every operator on statements that touch one of the lines; equal ones are given once."""
    seen: set[tuple[object, ...]] = set()
    wanted = set(lines)
    for node in scene.source.statements:
        if wanted.isdisjoint(_head(node)):
            continue
        for made in _statement(scene, node, wanted):
            key = made.splices
            if key not in seen and any(scene.source.text[s.start : s.end] != s.new for s in key):
                seen.add(key)
                yield made


def _statement(scene: Scene, node: ast.stmt, wanted: set[int]) -> Iterator[Edit]:
    for operator in ON_STATEMENTS:
        yield from operator(scene, node)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    many = node.end_lineno is not None and node.end_lineno - node.lineno > 12
    for expression in expressions(node, scene.source):
        if many and not any(line in wanted for line in range(expression.lineno, (expression.end_lineno or 0) + 1)):  # type: ignore[attr-defined]
            continue  # a long table: only the lines in question
        for operator in ON_EXPRESSIONS:
            yield from operator(scene, expression)


def _head(node: ast.stmt) -> range:
    """Lines of a statement without the statements inside it."""
    body = getattr(node, "body", None)
    last = node.end_lineno or node.lineno
    if isinstance(node, Function | ast.ClassDef):
        return range(node.lineno, max(node.lineno, body[0].lineno - 1 if body else last) + 1)
    if isinstance(body, list) and body:
        return range(node.lineno, max(node.lineno, body[0].lineno - 1) + 1)
    return range(node.lineno, last + 1)
