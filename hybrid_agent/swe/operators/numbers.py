"""Numbers, off-by-one, arithmetic, slices."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit, Splice
from hybrid_agent.swe.scene import Scene

BINARY: dict[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-", "*")), ast.Sub: ("-", ("+", "%")), ast.Mult: ("*", ("/", "+", "**", "//")),
    ast.Div: ("/", ("//", "*")), ast.FloorDiv: ("//", ("/", "%", "*")), ast.Mod: ("%", ("//", "*")),
    ast.Pow: ("**", ("*",)), ast.LShift: ("<<", (">>",)), ast.RShift: (">>", ("<<",)), ast.BitAnd: ("&", ("|", "^")),
    ast.BitOr: ("|", ("&", "^")), ast.BitXor: ("^", ("&", "|")),
}  # fmt: skip
_ORDERED = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift)


def constant(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Another number, truth value or empty container."""
    if isinstance(node, ast.Constant):
        value = node.value
        if value is True or value is False:
            yield scene.replace(node, str(not value), "number.bool")
            yield scene.replace(node, "None", "number.none")
        elif value is None:
            for new in ("0", "False", "True", "[]", "{}", "''"):
                yield scene.replace(node, new, "number.from_none")
        elif isinstance(value, int):
            near = [value + 1, value - 1, 0, 1, -1, 2, value * 2, value // 2, value * 10, value // 10]
            for number in dict.fromkeys(near):
                if number != value and abs(number) < 10**9:
                    kind = {1: "plus", -1: "minus"}.get(number - value, "other")
                    yield scene.replace(node, str(number), f"number.{kind}")
        elif isinstance(value, float):
            for real in dict.fromkeys((-value, value * 10, value / 10, value + 1, value - 1, 0.0, 1.0)):
                if real != value:
                    yield scene.replace(node, repr(real), "number.float")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield scene.replace(node, scene.bracketed(node.operand), "number.sign")
    elif isinstance(node, ast.List | ast.Dict) and not getattr(node, "elts", getattr(node, "keys", None)):
        for new in ("[]", "{}", "None", "set()"):
            if new != scene.text(node):
                yield scene.replace(node, new, "number.empty")


def off_by_one(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """One more or one less in an index, a bound, an argument, a comparison or a result."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        right = node.right
        if isinstance(right, ast.Constant) and type(right.value) is int and right.value in (1, 2):
            yield scene.replace(node, scene.text(node.left), "offbyone.away")
        return
    if not isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript):
        return
    if isinstance(node, ast.Call) and not _counts(node):
        return
    above = scene.source.parents.get(node)
    place = _place(above, node)
    if place is not None and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        text = scene.bracketed(node)
        yield scene.fitted(node, f"{text} + 1", f"offbyone.{place}_plus")
        yield scene.fitted(node, f"{text} - 1", f"offbyone.{place}_minus")


def _counts(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    return name in ("len", "max", "min", "sum", "int", "find", "index", "count", "rfind", "bit_length", "ord", "round")


def _place(above: ast.AST | None, node: ast.AST) -> str | None:
    if isinstance(above, ast.Slice):
        return "bound"
    if isinstance(above, ast.Subscript) and above.slice is node:
        return "index"
    if isinstance(above, ast.Compare):
        return "compare"
    if isinstance(above, ast.Call) and node in above.args:
        return "range" if isinstance(above.func, ast.Name) and above.func.id == "range" else "argument"
    if isinstance(above, ast.Return | ast.Assign | ast.BinOp):
        return "value"
    return None


def arithmetic(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Another operator, operands exchanged, one side only, other grouping, a sign."""
    if not isinstance(node, ast.BinOp):
        return
    start, end = scene.source.end(node.left), scene.source.span(node.right)[0]
    between = scene.source.text[start:end]
    symbol, others = BINARY.get(type(node.op), ("@", ()))
    if isinstance(node.left, ast.Constant) and isinstance(node.left.value, str) and symbol == "%":
        return
    if between.count(symbol) == 1:
        for new in others:
            put = between.replace(symbol, new)
            note = f"`{symbol}` -> `{new}` in `{scene.text(node)[:60]}`"
            yield Edit(scene.source.path, (Splice(start, end, put),), f"arith.{symbol}_{new}", node.lineno, note)
    if isinstance(node.op, _ORDERED) or not isinstance(node.right, ast.Constant):
        left, right = scene.bracketed(node.left), scene.bracketed(node.right)
        yield scene.replace(node, f"{right} {symbol} {left}", "arith.swap")
    yield scene.replace(node, scene.bracketed(node.left), "arith.left")
    yield scene.replace(node, scene.bracketed(node.right), "arith.right")
    inner = node.right
    if isinstance(inner, ast.BinOp) and type(inner.op) in BINARY:
        deeper = BINARY[type(inner.op)][0]
        left, middle, right = scene.text(node.left), scene.text(inner.left), scene.text(inner.right)
        yield scene.replace(node, f"({left} {symbol} {middle}) {deeper} {right}", "arith.group")
    inner = node.left
    if isinstance(inner, ast.BinOp) and type(inner.op) in BINARY:
        deeper = BINARY[type(inner.op)][0]
        left, middle, right = scene.text(inner.left), scene.text(inner.right), scene.text(node.right)
        yield scene.replace(node, f"{left} {deeper} ({middle} {symbol} {right})", "arith.group")


def slices(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A bound of a slice left out; an index counted from the other end; an index or a slice put on or taken off."""
    if not isinstance(node, ast.Subscript):
        return
    index = node.slice
    if isinstance(index, ast.Slice):
        parts = [scene.text(part) if part is not None else "" for part in (index.lower, index.upper)]
        step = f":{scene.text(index.step)}" if index.step is not None else ""
        value = scene.text(node.value)
        options = []
        if parts[0]:
            options.append((f"{value}[:{parts[1]}{step}]", "slice.no_lower"))
        if parts[1]:
            options.append((f"{value}[{parts[0]}:{step}]", "slice.no_upper"))
        if step:
            options.append((f"{value}[{parts[0]}:{parts[1]}]", "slice.no_step"))
        if not parts[0]:
            options.append((f"{value}[1:{parts[1]}{step}]", "slice.from_1"))
        if not parts[1]:
            options.append((f"{value}[{parts[0]}:-1{step}]", "slice.to_last"))
        if parts[0] != parts[1]:
            options.append((f"{value}[{parts[1]}:{parts[0]}{step}]", "slice.swap"))
        options.append((value, "slice.whole"))
        for new, kind in options:
            yield scene.replace(node, new, kind)
    elif isinstance(index, ast.Constant) and isinstance(index.value, int):
        yield scene.replace(index, str(-1 - index.value), "slice.other_end")
        yield scene.replace(node, scene.text(node.value), "slice.no_index")
    elif isinstance(index, ast.Tuple) and len(index.elts) == 2:
        yield scene.swap(index.elts[0], index.elts[1], "slice.axes")


def augmented(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """`+=` for `-=`, for `=`, and back."""
    if isinstance(node, ast.AugAssign):
        start, end = scene.source.end(node.target), scene.source.span(node.value)[0]
        symbol, others = BINARY.get(type(node.op), ("@", ()))
        for new in (*(f"{other}=" for other in others), "="):
            put = Splice(start, end, scene.source.text[start:end].replace(f"{symbol}=", new, 1))
            yield Edit(scene.source.path, (put,), "augment.other", node.lineno, f"`{symbol}=` -> `{new}`")
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and len(node.value.args) == 2:
        func = node.value.func
        if isinstance(func, ast.Attribute) and func.attr == "setdefault":
            target, key, value = (scene.text(each) for each in (func.value, *node.value.args))
            yield scene.replace(node, f"{target}[{key}] = {value}", "augment.setdefault")
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Subscript):
        target, key, value = (scene.text(each) for each in (node.targets[0].value, node.targets[0].slice, node.value))
        yield scene.replace(node, f"{target}.setdefault({key}, {value})", "augment.setdefault")
    elif (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name | ast.Attribute)
    ):
        start, end = scene.source.end(node.targets[0]), scene.source.span(node.value)[0]
        for new in ("+=", "-=", "|="):
            put = Splice(start, end, scene.source.text[start:end].replace("=", new, 1))
            yield Edit(scene.source.path, (put,), "augment.from_assign", node.lineno, f"`=` -> `{new}`")
