"""Cases that a condition forgets: None, an empty or missing entry, both ends of a range, a second attribute."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.operators.places import host_of, step_of
from hybrid_agent.swe.operators.statements import inserted_line
from hybrid_agent.swe.scene import Scene, parameters
from hybrid_agent.swe.source import Function

NEAR = 4
_ORDER = ast.Lt | ast.LtE | ast.Gt | ast.GtE


def comparisons(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A comparison that also holds, or does not hold, for None; both ends; further attributes; several strings."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return
    left, op, right = node.left, node.ops[0], node.comparators[0]
    text = scene.text(node)
    if isinstance(op, _ORDER | ast.Eq | ast.NotEq | ast.In):
        for each in (left, right):
            if isinstance(each, ast.Attribute | ast.Name | ast.Subscript) and not _constant(each):
                own = scene.text(each)
                yield scene.fitted(node, f"{own} is None or {text}", "test.none_or")
                yield scene.fitted(node, f"{own} is not None and {text}", "test.none_and")
    if isinstance(op, ast.Lt | ast.LtE):
        other = scene.text(right)
        lower = [f"-{other}", "0"] if isinstance(right, ast.Call) else ["0"]
        for low in lower:
            yield scene.replace(node, f"{low} <= {text}", "compare.both_ends")
    if isinstance(left, ast.Attribute) and isinstance(right, ast.Attribute) and left.attr == right.attr:
        one, two, symbol = scene.text(left.value), scene.text(right.value), text[len(scene.text(left)) :].split()[0]
        for name in [n for n in _attributes(scene, node, left) if n != left.attr][:NEAR]:
            yield scene.fitted(node, f"{text} and {one}.{name} {symbol} {two}.{name}", "test.and_attribute")
            yield scene.fitted(node, f"{text} or {one}.{name} {symbol} {two}.{name}", "test.or_attribute")
    if isinstance(op, ast.Eq) and isinstance(right, ast.Constant) and isinstance(right.value, str) and right.value:
        alike = [s for s in scene.told if s != right.value and (len(s) == 1) == (len(right.value) == 1)]
        alike += [s for s in scene.strings if s != right.value and len(s) == len(right.value)]
        for other in list(dict.fromkeys(alike))[:8]:
            yield scene.replace(node, f"{scene.text(left)} in ({right.value!r}, {other!r})", "compare.one_of")


def _attributes(scene: Scene, node: ast.AST, like: ast.Attribute) -> list[str]:
    """Attributes read from the same names in this function, then those of these names in the file."""
    function = scene.source.function(node)
    own = scene.text(like.value)
    near = [
        each.attr for each in (scene.nodes_of(function) if function else ())
        if isinstance(each, ast.Attribute) and scene.text(each.value) == own
    ]  # fmt: skip
    return list(dict.fromkeys([*near, *scene.attributes.get(own, ())]))


def in_order(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Two comparisons of pairs joined as one comparison of tuples: the second counts only where the first is equal."""
    if not isinstance(node, ast.BoolOp) or len(node.values) != 2:
        return
    one, two = node.values
    if not (isinstance(one, ast.Compare) and isinstance(two, ast.Compare) and len(one.ops) == len(two.ops) == 1):
        return
    if type(one.ops[0]) is not type(two.ops[0]) or not isinstance(one.ops[0], _ORDER | ast.Eq):
        return
    a, b = scene.text(one.left), scene.text(two.left)
    symbol = scene.text(one)[len(a) :].split()[0]
    c, d = scene.text(one.comparators[0]), scene.text(two.comparators[0])
    yield scene.fitted(node, f"({a}, {b}) {symbol} ({c}, {d})", "logic.in_order")
    yield scene.fitted(node, f"({b}, {a}) {symbol} ({d}, {c})", "logic.in_order")


def membership(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """`v is None` or `not v` after `v = d.get(k)`: None may be stored, so ask for the key."""
    function = scene.source.function(node)
    name = _none_of(node)
    if function is None or name is None:
        return
    for each in scene.nodes_of(function):
        if not (isinstance(each, ast.Assign) and isinstance(each.value, ast.Call) and len(each.targets) == 1):
            continue
        call = each.value
        got = isinstance(call.func, ast.Attribute) and call.func.attr == "get" and call.args
        if got and isinstance(each.targets[0], ast.Name) and each.targets[0].id == name[0]:
            word = "in" if name[1] else "not in"
            new = f"{scene.text(call.args[0])} {word} {scene.text(call.func.value)}"  # type: ignore[attr-defined]
            yield scene.replace(node, new, "test.membership")


def _none_of(node: ast.AST) -> tuple[str, bool] | None:
    """The name that a test asks to be None or empty, and whether it asks for the opposite."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Name):
        return node.operand.id, False
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.left, ast.Name):
        right = node.comparators[0]
        if isinstance(right, ast.Constant) and right.value is None and isinstance(node.ops[0], ast.Is | ast.IsNot):
            return node.left.id, isinstance(node.ops[0], ast.IsNot)
    return None


def division(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A division that gives 0 where the divisor is 0."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
        if isinstance(node.right, ast.Constant) or (
            isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
        ):
            return
        zero = "0.0" if isinstance(node.op, ast.Div) else "0"
        new = f"{scene.text(node)} if {scene.text(node.right)} else {zero}"
        yield scene.fitted(node, new, "default.division")


def choices(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """One more or less only in some cases: by a flag, or by what a table of the module holds."""
    function = scene.source.function(node)
    if function is None or not isinstance(node, ast.BinOp) or not isinstance(node.right, ast.Constant):
        return
    if not isinstance(node.op, ast.Add | ast.Sub):
        return
    tables = [name for name in scene.globals if name.isupper()]
    names = [name for name in scene.names_in(function) if name not in ("self", "cls")]
    conditions = [f"{name} in {table}" for table in tables for name in names[:6]][:16]
    conditions += [name for name in parameters(function) if name not in ("self", "cls")][:3]
    text, plain = scene.text(node), scene.text(node.left)
    for condition in conditions:
        yield scene.fitted(node, f"{plain} if {condition} else {text}", "logic.choice")


def around(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """The statement done only in some cases: a name in use is not empty, not None, or holds a string in use."""
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Delete):
        return
    function, source = host_of(scene, node), scene.source
    if function is None:
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    used = [e.id for e in ast.walk(node) if isinstance(e, ast.Name) and isinstance(e.ctx, ast.Load)]
    known = set(scene.siblings_of(function))
    names = [name for name in dict.fromkeys(used) if name in known and name not in ("self", "cls")][:3]
    texts = [e.value for e in ast.walk(node) if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    near = [s for s in scene.strings if len(s) == 1]
    conditions = [f"{text!r} in {name}" for text in dict.fromkeys([*texts, *near[:2]]) for name in names[:1] if text]
    conditions += [each for name in names for each in (name, f"{name} is not None", f"not {name}")]
    indent = source.indent(node.lineno)
    step = step_of(scene, function)
    a, b = source.whole_lines(node)
    body = "".join(step + row if row.strip() else row for row in source.text[a:b].splitlines(keepends=True))
    for condition in conditions[:9]:
        new = f"{indent}if {condition}:{source.newline}{body}"
        yield scene.span_edit(a, b, new, "guard.around", node.lineno, f"`if {condition}:` put around it")


def limits(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A test that also refuses results beyond a constant of the module."""
    function = scene.source.function(node)
    if not isinstance(node, ast.If) or function is None or not isinstance(node.body[0], ast.Raise | ast.Return):
        return
    made = [
        scene.text(each.value) for each in scene.nodes_of(function)
        if isinstance(each, ast.Return) and isinstance(each.value, ast.BinOp)
    ]  # fmt: skip
    tables = [name for name in scene.globals if name.isupper()][:4]
    own = scene.text(node.test)
    for value in made[:2]:
        for table in tables:
            for symbol in (">", ">=", "<"):
                yield scene.replace(node.test, f"{own} or {value} {symbol} {table}", "test.or_limit")


def entries(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A guard on an entry in use (`if d[k]: break`), and an emptied group that is taken out."""
    if not isinstance(node, ast.Delete | ast.Expr | ast.Assign | ast.AugAssign):
        return
    function, source = host_of(scene, node), scene.source
    if function is None:
        return
    indent = source.indent(node.lineno)
    step = step_of(scene, function)
    a, b = source.whole_lines(node)
    looped = any(isinstance(above, ast.For | ast.While) for above in source.ancestors(node))
    ends = ["break", "continue", "return"] if looped else ["return"]
    found = [
        scene.text(e) for e in ast.walk(node) if isinstance(e, ast.Subscript) and not isinstance(e.slice, ast.Slice)
    ]
    for entry in list(dict.fromkeys(found))[:2]:
        for condition in (entry, f"not {entry}"):
            for end in ends:
                text = f"{indent}if {condition}:\n{indent}{step}{end}"
                yield inserted_line(source, a, text, "guard.entry", node.lineno)
    for group, owner in _shrunk(scene, node, function):
        text = f"{indent}if not {group}:\n{indent}{step}del {owner}"
        yield inserted_line(source, b, text, "insert.emptied", node.lineno)


def _shrunk(scene: Scene, node: ast.stmt, function: Function) -> Iterator[tuple[str, str]]:
    """Collections that a statement takes something out of, with the entries that hold them."""
    shrunk: list[str] = []
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        if node.value.func.attr in ("remove", "discard", "pop", "popitem", "popleft", "difference_update"):
            shrunk.append(scene.text(node.value.func.value))
    elif isinstance(node, ast.Delete):
        shrunk += [scene.text(each.value) for each in node.targets if isinstance(each, ast.Subscript)]
    for text in shrunk:
        if text.endswith("]"):
            yield text, text
        for each in scene.nodes_of(function):
            if isinstance(each, ast.Assign) and any(scene.text(target) == text for target in each.targets):
                value = each.value
                if isinstance(value, ast.Subscript):
                    yield text, scene.text(value)
                elif _got(value):
                    yield text, f"{scene.text(value.func.value)}[{scene.text(value.args[0])}]"  # type: ignore[attr-defined]


def _got(value: ast.AST) -> bool:
    """True for `d.get(k)` and `d.setdefault(k, ...)`."""
    called = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and bool(value.args)
    return called and value.func.attr in ("get", "setdefault")  # type: ignore[attr-defined]


def _constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and (node.id.isupper() or node.id in ("self", "cls"))
