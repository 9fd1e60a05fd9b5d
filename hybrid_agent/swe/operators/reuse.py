"""What the project has already: helpers, methods, guards and literals used elsewhere, and arguments that are known."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit, Splice
from hybrid_agent.swe.operators.names import alike
from hybrid_agent.swe.operators.places import host_before, step_of
from hybrid_agent.swe.operators.statements import inserted_line
from hybrid_agent.swe.scene import BUILTINS, Scene, parameters
from hybrid_agent.swe.source import Function

NEAR = 6
# Arguments of the standard library that are often forgotten.
KNOWN = {
    "split": ("1",), "rsplit": ("1",), "replace": ("1",), "round": ("2",), "enumerate": ("1",), "strip": ("None",),
    "quantize": ("rounding='ROUND_HALF_UP'", "rounding='ROUND_DOWN'"), "zip": ("strict=True",),
    "dumps": ("sort_keys=True", "ensure_ascii=False", "default=str"), "open": ("encoding='utf-8'", "newline=''"),
    "read_text": ("encoding='utf-8'",), "write_text": ("encoding='utf-8'",), "max": ("default=0", "default=None"),
    "min": ("default=0", "default=None"), "mkdir": ("parents=True", "exist_ok=True"), "makedirs": ("exist_ok=True",),
    "splitlines": ("keepends=True",), "next": ("None",), "get": ("0",), "pop": ("None",), "sum": ("0.0",),
    "isclose": ("abs_tol=1e-9",), "compile": ("re.IGNORECASE",), "sorted": ("key=str",), "int": ("10",),
}  # fmt: skip


def known_arguments(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """An argument of the standard library that is often forgotten."""
    if not isinstance(node, ast.Call):
        return
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    given = {word.arg for word in node.keywords}
    if any(isinstance(each, ast.Starred | ast.GeneratorExp) for each in node.args):
        return
    parts = [scene.text(each) for each in (*node.args, *node.keywords)]
    for new in KNOWN.get(name, ()):
        if new.partition("=")[0] not in given and (node.args or name not in ("split", "pop", "get")):
            if node.keywords and "=" not in new:
                continue
            yield scene.replace(node, f"{scene.text(node.func)}({', '.join([*parts, new])})", "args.known")


def methods(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Another method or field of the class that has this one."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
        return
    above = scene.source.parents.get(node)
    called = isinstance(above, ast.Call) and above.func is node
    count = len(above.args) + len(above.keywords) if called and isinstance(above, ast.Call) else 0
    found: dict[str, None] = {}
    for members in scene.classes:
        if node.attr in members:
            arity = members[node.attr]
            for name, takes in members.items():
                fits = name != node.attr and not name.startswith("__") and (takes is None) == (arity is None)
                if fits and (not called or takes is None or takes == count):
                    found[name] = None
    for name in list(found)[: 2 * NEAR]:
        yield scene.replace(node, f"{scene.text(node.value)}.{name}", "attr.member")


def helpers(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A helper of the class or module in place of an expression about one name, or of a builtin."""
    function = scene.source.function(node)
    if function is None:
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
        if len(node.args) == 1 and not node.keywords:
            for name in _one_argument(scene, function)[:NEAR]:
                yield scene.replace(node.func, name, "callee.ours")
        return
    if not isinstance(node, ast.IfExp | ast.BinOp):
        return
    names = {e.id for e in ast.walk(node) if isinstance(e, ast.Name)} - BUILTINS - set(scene.defined)
    if len(names) == 1:
        for name in _one_argument(scene, function)[:NEAR]:
            yield scene.replace(node, f"{name}({next(iter(names))})", "callee.helper")


def _one_argument(scene: Scene, function: Function) -> list[str]:
    """Functions of one argument: methods of the class, functions of the module, imported functions of the project."""
    owner = scene.source.class_of(function)
    own = [each for each in owner.body if isinstance(each, Function)] if owner is not None else []
    found = [
        f"self.{each.name}" for each in own
        if len(each.args.args) == 2 and not each.decorator_list and each is not function
    ]  # fmt: skip
    for name, made in scene.defined.items():
        if isinstance(made, Function):
            fits = made is not function and len(parameters(made)) == 1
        else:
            made_in = scene.methods.get(name, []) if isinstance(made, ast.ImportFrom) else []
            fits = any(len(parameters(each)) - len(each.args.defaults) <= 1 for each in made_in)
        if fits:
            found.append(name)
    return found


def everywhere(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Another function of the same module imported, and used in all places."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    name = node.func.id
    made = scene.defined.get(name)
    if not isinstance(made, ast.ImportFrom):
        return
    alias = next((each for each in made.names if each.name == name and each.asname is None), None)
    uses = [e for e in ast.walk(scene.tree) if isinstance(e, ast.Name) and e.id == name]
    if alias is None:
        return
    for other in alike(name):
        if other in BUILTINS or other in scene.defined:
            continue
        places = sorted(scene.source.span(each) for each in (alias, *uses))
        splices = tuple(Splice(a, b, other) for a, b in places)
        note = f"`{name}` -> `{other}`, also where it is imported"
        yield Edit(scene.source.path, splices, "callee.everywhere", node.lineno, note)


def guards_seen(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A guard of the same function or class put before this statement."""
    function, source = host_before(scene, node), scene.source
    if function is None or not isinstance(node, ast.stmt):
        return
    indent = source.indent(node.lineno)
    at = source.whole_lines(node)[0]
    known = set(scene.siblings_of(function)) | set(scene.defined) | BUILTINS
    count = 0
    for each in ast.walk(source.class_of(function) or function):
        if not isinstance(each, ast.If) or each.orelse or each is node or len(each.body) != 1:
            continue
        if not isinstance(each.body[0], ast.Raise | ast.Return | ast.Break | ast.Continue | ast.Expr | ast.Delete):
            continue
        if not all(e.id in known for e in ast.walk(each) if isinstance(e, ast.Name)) or each.lineno == each.end_lineno:
            continue
        test, body = scene.text(each.test), scene.text(each.body[0])
        step = step_of(scene, function)
        if "\n" not in test + body and count < 4:
            count += 1
            yield inserted_line(source, at, f"{indent}if {test}:\n{indent}{step}{body}", "insert.guard", node.lineno)


def literals(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A parameter in place of an empty or plain literal."""
    function, above = scene.source.function(node), scene.source.parents.get(node)
    empty = isinstance(node, ast.List | ast.Dict | ast.Tuple) and not ast.unparse(node).strip("[](){}")
    plain = isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool | int))
    if function is None or not (empty or plain) or not isinstance(above, ast.Call | ast.keyword | ast.Assign):
        return
    for name in [each for each in parameters(function) if each not in ("self", "cls")][:NEAR]:
        yield scene.replace(node, name, "name.for_literal")


def joined(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A separator added to an argument of a string method; a string without one of its characters."""
    above = scene.source.parents.get(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and 2 <= len(node.value) <= 4:
        if not isinstance(above, ast.JoinedStr | ast.Expr):
            for at in range(len(node.value)):
                yield scene.replace(node, repr(node.value[:at] + node.value[at + 1 :]), "text.shorter")
        return
    if not isinstance(node, ast.Name) or not isinstance(above, ast.Call) or node not in above.args:
        return
    method = above.func.attr if isinstance(above.func, ast.Attribute) else ""
    if method not in ("startswith", "endswith", "split", "find", "index", "removeprefix", "removesuffix", "join"):
        return
    for text in list(dict.fromkeys(_short(scene)))[:NEAR]:
        new = f"{text!r} + {node.id}" if method in ("endswith", "removesuffix") else f"{node.id} + {text!r}"
        yield scene.replace(node, new, "text.joined")


def _short(scene: Scene) -> Iterator[str]:
    """Separators that the file uses, those inside f-strings first."""
    for each in ast.walk(scene.tree):
        if isinstance(each, ast.JoinedStr):
            for part in each.values:
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and 0 < len(part.value) <= 2:
                    yield part.value
    yield from (text for text in scene.strings if len(text) <= 2 and not text.isalnum())


def parts_kept(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A list cut as elsewhere in the function before this statement."""
    function, source = host_before(scene, node), scene.source
    if function is None or not isinstance(node, ast.stmt):
        return
    indent, at = source.indent(node.lineno), source.whole_lines(node)[0]
    found = {
        scene.text(each): each.value.id for each in scene.nodes_of(function)
        if isinstance(each, ast.Subscript) and isinstance(each.slice, ast.Slice) and isinstance(each.value, ast.Name)
    }  # fmt: skip
    for text, name in list(found.items())[:2]:
        yield inserted_line(source, at, f"{indent}{name} = {text}", "insert.cut", node.lineno)
