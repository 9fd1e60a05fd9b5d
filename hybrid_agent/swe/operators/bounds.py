"""Values kept within bounds, cut, offset, extended, or copied more deeply."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.scene import Scene, parameters

NEAR = 4  # names that are tried with each value
PLACED = (ast.Return, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Call, ast.keyword, ast.BinOp, ast.Compare)


def extremes(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """The larger or smaller of this value and one like it: the same attribute or call of another name."""
    if not isinstance(node, ast.Attribute | ast.Call) or not _read(node):
        return
    if not isinstance(scene.source.parents.get(node), PLACED):
        return
    text = scene.text(node)
    for other in list(dict.fromkeys(_like(scene, node)))[:NEAR]:
        if other != text:
            yield scene.replace(node, f"max({text}, {other})", "wrap.larger")
            yield scene.replace(node, f"min({text}, {other})", "wrap.smaller")


def _like(scene: Scene, node: ast.Attribute | ast.Call) -> Iterator[str]:
    """Texts of the same form about other names of the function."""
    function = scene.source.function(node)
    if function is None:
        return
    if isinstance(node, ast.Attribute):
        for each in scene.nodes_of(function):
            if isinstance(each, ast.Attribute) and each.attr == node.attr and _read(each):
                yield scene.text(each)
        return
    if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], ast.Name):
        return
    head = scene.text(node.func)
    for name in scene.names_in(function):
        if name not in ("self", "cls"):
            yield f"{head}({name})"


def kept(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """What a name or an entry had before is not lost: the larger, the smaller, or the sum."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return
    target, value = node.targets[0], scene.text(node.value)
    if isinstance(target, ast.Name) and not isinstance(node.value, ast.Constant):
        for call in ("max", "min"):
            yield scene.replace(node.value, f"{call}({target.id}, {value})", "wrap.kept")
    elif isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
        of, key = scene.text(target.value), scene.text(target.slice)
        yield scene.replace(node.value, f"max({of}.get({key}, 0), {value})", "wrap.kept")
        yield scene.replace(node.value, f"min({of}.get({key}, {value}), {value})", "wrap.kept")
        yield scene.replace(node.value, f"{of}.get({key}, 0) + {value}", "wrap.kept")


def exchanged(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Both sides of an assignment exchanged."""
    if isinstance(node, ast.AugAssign):
        target, value = node.target, node.value
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value  # type: ignore[assignment]
    else:
        return
    fits = ast.Name | ast.Attribute | ast.Subscript
    if isinstance(target, fits) and isinstance(value, fits):
        yield scene.swap(target, value, "augment.exchanged")


def cuts(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A part of a sequence instead of the whole, or its largest and smallest entry instead of the first or last."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield from _ends(scene, node)
        return
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or node.id in ("self", "cls"):
        return
    function = scene.source.function(node)
    above = scene.source.parents.get(node)
    if function is None or not isinstance(above, ast.Return | ast.Assign | ast.Call | ast.Starred | ast.For):
        return
    if isinstance(above, ast.Call) and above.func is node:
        return
    names = [name for name in scene.names_in(function) if name not in ("self", "cls", node.id)]
    for name in names[:NEAR]:
        yield scene.replace(node, f"{node.id}[:{name}]", "slice.cut")
        yield scene.replace(node, f"{node.id}[{name}:]", "slice.cut")
        if isinstance(above, ast.Starred | ast.Return):
            yield scene.replace(node, f"{node.id}[{node.id}.index({name}) :]", "slice.from_entry")


def _ends(scene: Scene, node: ast.Subscript) -> Iterator[Edit]:
    of, index = scene.text(node.value), node.slice
    if isinstance(index, ast.Slice):
        lower = index.lower
        if isinstance(lower, ast.UnaryOp) and isinstance(lower.op, ast.USub) and index.upper is None:
            count = scene.text(lower.operand)  # x[-0:] is all of x
            yield scene.replace(lower, f"len({of}) - {count}", "slice.negative")
            yield scene.replace(lower, f"max(len({of}) - {count}, 0)", "slice.negative")
        return
    last = isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub)
    first = isinstance(index, ast.Constant) and index.value == 0
    if last or first:
        yield scene.replace(node, f"max({of})", "slice.extreme")
        yield scene.replace(node, f"min({of})", "slice.extreme")


def offsets(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A parameter added to a count or taken off it."""
    function = scene.source.function(node)
    if function is None or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    if node.func.id not in ("len", "sum", "min", "max", "int"):
        return
    text = scene.text(node)
    for name in [each for each in parameters(function) if each not in ("self", "cls")][:NEAR]:
        for new in (f"{text} + {name}", f"{text} - {name}", f"{text} + {name} - 1"):
            yield scene.fitted(node, new, "arith.offset")


def extended(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A collection handed on with one more entry."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or node.id in ("self", "cls"):
        return
    above, function = scene.source.parents.get(node), scene.source.function(node)
    if not isinstance(above, ast.Call) or node not in above.args or function is None:
        return
    if node.id not in parameters(function):
        return
    for name in [n for n in scene.names_in(function) if n not in ("self", "cls", node.id)][-NEAR:]:
        yield scene.replace(node, f"(*{node.id}, {name})", "args.extended")
        yield scene.replace(node, f"[*{node.id}, {name}]", "args.extended")


def deeper(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A copy that shares its entries made a copy of the entries too."""
    if not isinstance(node, ast.Call) or node.keywords:
        return
    if isinstance(node.func, ast.Attribute) and node.func.attr == "copy" and not node.args:
        of, kind = scene.text(node.func.value), None
    elif isinstance(node.func, ast.Name) and node.func.id in ("dict", "list") and len(node.args) == 1:
        of, kind = scene.text(node.args[0]), node.func.id
    else:
        return
    if kind != "list":
        for inner in ("dict", "list", "set"):
            new = f"{{key: {inner}(value) for key, value in {of}.items()}}"
            yield scene.replace(node, new, "wrap.deeper")
    if kind != "dict":
        for inner in ("dict", "list"):
            yield scene.replace(node, f"[{inner}(value) for value in {of}]", "wrap.deeper")


def _read(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
