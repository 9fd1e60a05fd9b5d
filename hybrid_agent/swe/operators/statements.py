"""Statements: control flow, returns, removal, order, blocks, handlers."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit, Splice, edit
from hybrid_agent.swe.scene import Scene, cut
from hybrid_agent.swe.source import Function, Source


def control(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """break, continue, pass and return for one another; if for while; raise for nothing."""
    if isinstance(node, ast.Break | ast.Continue | ast.Pass):
        own = scene.text(node)
        in_loop = any(isinstance(above, ast.For | ast.While) for above in scene.source.ancestors(node))
        for new in ("break", "continue") if in_loop else ():
            if new != own:
                yield scene.replace(node, new, f"control.{own}_{new}")
        if scene.source.function(node):
            yield scene.replace(node, "return", f"control.{own}_return")
        if own != "pass":
            yield scene.replace(node, "pass", f"control.{own}_pass")
    elif isinstance(node, ast.If | ast.While):
        start = scene.source.span(node)[0]
        word = scene.source.text[start : start + 5]
        if word.startswith("if") and not node.orelse:
            yield edit(scene.source.path, start, start + 2, "while", "control.if_while", node.lineno, "`if` -> `while`")
        elif word == "while":
            yield edit(scene.source.path, start, start + 5, "if", "control.while_if", node.lineno, "`while` -> `if`")
        elif word.startswith("elif"):
            yield edit(scene.source.path, start, start + 4, "if", "control.elif_if", node.lineno, "`elif` -> `if`")
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield) and node.value.value is not None:
        yield scene.replace(node, f"yield from {scene.text(node.value.value)}", "control.yield_from")
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.YieldFrom):
        yield scene.replace(node, f"yield {scene.text(node.value.value)}", "control.yield")


def returns(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A return that is missing, or returns something else."""
    function = scene.source.function(node)
    if function is None:
        return
    if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom):
        yield scene.replace(node, f"return {scene.text(node.value)}", "return.missing")
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        yield scene.replace(node, f"return {scene.text(node.value)}", "return.for_assign")
    elif isinstance(node, ast.Return):
        own = scene.text(node.value) if node.value else ""
        seen = {
            scene.text(each.value): None
            for each in scene.nodes_of(function)
            if isinstance(each, ast.Return) and each.value
        }
        options = [*(text for text in seen if len(text) <= 60), *scene.names_in(function)[:10], "None", "True", "False"]
        for text in dict.fromkeys(options):
            if text != own:
                yield scene.replace(node, f"return {text}", "return.other")
        if node.value is not None:
            yield scene.replace(node, own, "return.away")
            if any(isinstance(above, ast.For | ast.While) for above in scene.source.ancestors(node)):
                yield scene.replace(node, "continue", "return.continue")
                yield scene.replace(node, f"yield {own}", "return.yield")
            if isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
                yield scene.swap(node.value.elts[0], node.value.elts[1], "return.pair")
    if _last_of(function, node) and not isinstance(node, ast.Return | ast.Raise) and scene.source.alone(node):  # type: ignore[arg-type]
        at = scene.source.whole_lines(node)[1]  # type: ignore[arg-type]
        indent = scene.source.indent(function.body[0].lineno)
        for name in [*reversed(scene.names_in(function)[-6:]), "self", "True", "False"]:
            if name != "self" or scene.names_in(function)[:1] == ["self"]:
                yield inserted_line(scene.source, at, f"{indent}return {name}", "return.append", node.lineno)  # type: ignore[attr-defined]


def removal(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """The statement taken out; an if replaced by its body; an else taken out."""
    if not isinstance(node, ast.stmt) or isinstance(node, Function | ast.ClassDef) or not scene.source.alone(node):
        return
    block = block_of(scene.source, node)
    if isinstance(node, ast.Import | ast.ImportFrom) or block is None:
        return
    start = scene.source.span(node)[0]
    elif_ = isinstance(node, ast.If) and scene.source.text.startswith("elif", start)
    if not elif_:
        if len(block) == 1:
            yield scene.replace(node, "pass", "remove.pass")
        else:
            a, b = scene.source.whole_lines(node)
            yield edit(
                scene.source.path, a, b, "", "remove.statement", node.lineno, f"`{cut(scene.text(node))}` removed"
            )
    plain = not elif_ and not getattr(node, "orelse", None)
    if isinstance(node, ast.If | ast.While | ast.With | ast.For | ast.Try) and plain:
        text = _dedented(scene.source, node.body, scene.source.indent(node.lineno))
        if text is not None:
            a, b = scene.source.whole_lines(node)
            note = f"`{cut(scene.source.line_text(node.lineno))}` taken off its block"
            yield edit(scene.source.path, a, b, text, "remove.unwrap", node.lineno, note)
    if isinstance(node, ast.If) and node.orelse:
        a, b = scene.source.whole_lines(node.body[-1]) if scene.source.alone(node.body[-1]) else (0, 0)
        end = scene.source.whole_lines(node)[1]
        if b:
            yield edit(scene.source.path, b, end, "", "remove.else", node.lineno, "the else branch removed")


def order(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """The statement exchanged with the next one or two."""
    if not isinstance(node, ast.stmt) or isinstance(node, Function | ast.ClassDef):
        return
    block = block_of(scene.source, node)
    if block is None:
        return
    place = block.index(node)
    for other in block[place + 1 : place + 3]:
        if isinstance(other, Function | ast.ClassDef) or not (scene.source.alone(node) and scene.source.alone(other)):
            continue
        if scene.source.text.startswith("elif", scene.source.span(node)[0]):
            continue
        (a, b), (c, d) = scene.source.span(node), scene.source.span(other)
        text = scene.source.text
        kind = "order.swap" if other is block[place + 1] else "order.far"
        note = f"`{cut(text[a:b], 40)}` and `{cut(text[c:d], 40)}` exchanged"
        yield Edit(scene.source.path, (Splice(a, b, text[c:d]), Splice(c, d, text[a:b])), kind, node.lineno, note)


def blocks(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """The last statement of a block moved out of it, the statement after a block moved in, else taken or given."""
    body = getattr(node, "body", None)
    if not isinstance(node, ast.If | ast.For | ast.While | ast.With) or not isinstance(body, list):
        return
    source = scene.source
    block = block_of(source, node)
    if block is None or not all(source.alone(each) for each in (*body, node)):
        return
    indent, inner = source.indent(node.lineno), source.indent(body[0].lineno)
    orelse = getattr(node, "orelse", [])
    if len(body) > 1 and not orelse:
        last = body[-1]
        a, b = source.whole_lines(last)
        text = _dedented(source, [last], indent)
        if text is not None:
            yield edit(source.path, a, b, text, "block.out", last.lineno, f"`{cut(source.segment(last))}` moved out")
    if not orelse:
        place = block.index(node)
        if place + 1 < len(block) and source.alone(block[place + 1]):
            follower = block[place + 1]
            if not isinstance(follower, Function | ast.ClassDef):
                a, b = source.whole_lines(follower)
                text = textwrap.indent(source.text[a:b], inner[len(indent) :])
                note = f"`{cut(source.segment(follower))}` moved into the block above"
                yield edit(source.path, a, b, text, "block.in", follower.lineno, note)
                if isinstance(node, ast.If):
                    text = f"{indent}else:{source.newline}{text}"
                    yield edit(source.path, a, b, text, "block.else", follower.lineno, "an else put before it")
    if isinstance(node, ast.If) and orelse and not isinstance(orelse[0], ast.If) and source.alone(orelse[0]):
        (a, b), (c, d) = _lines_of(source, body), _lines_of(source, orelse)
        texts = Splice(a, b, source.text[c:d]), Splice(c, d, source.text[a:b])
        yield Edit(source.path, texts, "block.swap", node.lineno, "the branches exchanged")


def handlers(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Other exceptions caught."""
    if not isinstance(node, ast.Try):
        return
    for handler in node.handlers:
        if handler.type is None:
            continue
        own = scene.text(handler.type)
        for name in (
            "KeyError",
            "IndexError",
            "ValueError",
            "TypeError",
            "AttributeError",
            "StopIteration",
            "OSError",
            "Exception",
        ):
            if name not in own:
                yield scene.replace(handler.type, name, "handler.other")
                inner = own[1:-1].rstrip(", ") if isinstance(handler.type, ast.Tuple) else own
                yield scene.replace(handler.type, f"({inner}, {name})", "handler.more")


def _last_of(function: Function, node: ast.AST) -> bool:
    return function.body[-1] is node and function.name != "__init__"


def block_of(source: Source, node: ast.stmt) -> list[ast.stmt] | None:
    """The list of statements that a statement stands in."""
    above = source.parents.get(node)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(above, name, None)
        if isinstance(block, list) and node in block:
            return block
    return None


def _lines_of(source: Source, block: list[ast.stmt]) -> tuple[int, int]:
    return source.whole_lines(block[0])[0], source.whole_lines(block[-1])[1]


def _dedented(source: Source, block: list[ast.stmt], indent: str) -> str | None:
    """Lines of a block moved to an indentation further out; None if strings over several lines would change."""
    if not all(source.alone(each) for each in block):
        return None
    a, b = _lines_of(source, block)
    inner = source.indent(block[0].lineno)
    if not inner.startswith(indent):
        return None
    rows = source.text[a:b].splitlines(keepends=True)
    moved = [indent + row[len(inner) :] if row.startswith(inner) else row for row in rows]
    if any(row.strip() and not row.startswith(inner) for row in rows):
        return None
    return "".join(moved)


def inserted_line(source: Source, at: int, text: str, operator: str, line: int) -> Edit:
    """An edit that inserts lines at the start of a line."""
    lead = "" if not at or source.text[at - 1] in "\r\n" else source.newline
    new = lead + text.replace("\n", source.newline) + source.newline
    return edit(source.path, at, at, new, operator, line, f"`{cut(text)}` inserted")
