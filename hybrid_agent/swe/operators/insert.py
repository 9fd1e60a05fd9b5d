"""Statements put in: guards and base cases, statements seen elsewhere, defaults, imports."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.operators.places import host_before, step_of
from hybrid_agent.swe.operators.statements import inserted_line
from hybrid_agent.swe.scene import BUILTINS, Scene, parameters
from hybrid_agent.swe.source import Function

_WORD = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
CONDITIONS = ("not {}", "{} is None", "{} == 0", "{} <= 1", "{} < 0", "{}")
SEEN = 10  # most statements that are copied to one place


def guards(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """`if not x: return ...` before the statement: for parameters at the start of a function, for names in use else."""
    function, source = host_before(scene, node), scene.source
    if function is None or not isinstance(node, ast.stmt):
        return
    first = _first(function) is node
    used = [name for name in dict.fromkeys(_names(node)) if name in scene.siblings_of(function) and name != "self"]
    names = [name for name in parameters(function) if name not in ("self", "cls")] if first else used[:3]
    own = [scene.text(each) for each in ast.walk(node) if isinstance(each, ast.Attribute) and _plain(each)]
    names += list(dict.fromkeys(own))[:3]
    if not names:
        return
    indent = source.indent(node.lineno)
    step = step_of(scene, function)
    at = source.whole_lines(node)[0]
    looped = any(isinstance(above, ast.For | ast.While) for above in source.ancestors(node))
    ends = [f"return {value}" for value in _values(scene, function, names[0])]
    if looped:
        ends = ["continue", "break", *ends[:2]]
    ends += [text for text in _raises(scene, function)][:2]
    for name in names[: 5 if first else 4]:
        for condition in CONDITIONS[: len(CONDITIONS) if first else 2]:
            condition = condition.replace("{}", name)
            for end in ends[: 6 if first else 3]:
                text = f"{indent}if {condition}:\n{indent}{step}{end}"
                yield inserted_line(source, at, text, "guard.first" if first else "guard.inner", node.lineno)
    if first and len(names) > 1:
        for end in ends[:4]:
            condition = f"{names[0]} == {names[1]}"
            yield inserted_line(source, at, f"{indent}if {condition}:\n{indent}{step}{end}", "guard.first", node.lineno)


def seen_statements(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A statement of the same function, class or file whose names are known here, put before or after this one."""
    function, source = host_before(scene, node), scene.source
    if function is None or not isinstance(node, ast.stmt):
        return
    indent = source.indent(node.lineno)
    a, b = source.whole_lines(node)
    after_ok = not isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue)
    for text, kind in _copies(scene, node, function):
        yield inserted_line(source, a, f"{indent}{text}", f"insert.{kind}", node.lineno)
        if after_ok:
            yield inserted_line(source, b, f"{indent}{text}", f"insert.{kind}_after", node.lineno)
    if isinstance(node, ast.For | ast.While) and source.alone(node.body[-1]):
        inner = source.indent(node.body[0].lineno)
        end = source.whole_lines(node.body[-1])[1]
        counters = [name for name in scene.names_in(function) if len(name) <= 2 or name in ("count", "index", "total")]
        for name in counters[:4]:
            for text in (f"{name} += 1", f"{name} -= 1"):
                yield inserted_line(source, end, f"{inner}{text}", "insert.step", node.lineno)


def defaults(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """`if x is None: x = ...` at the start of a function, and initial values of names."""
    function = scene.source.function(node)
    if function is None or _first(function) is not node or not scene.source.alone(node):
        return
    indent, step = scene.source.indent(node.lineno), step_of(scene, function)
    at = scene.source.whole_lines(node)[0]
    for name in _optional(function)[:4]:
        for value in ("[]", "{}", "set()", "0", "''"):
            text = f"{indent}if {name} is None:\n{indent}{step}{name} = {value}"
            yield inserted_line(scene.source, at, text, "default.none", node.lineno)
    for name in scene.names_in(function)[:8]:
        if name not in parameters(function):
            for value in ("0", "[]", "None", "{}", "''"):
                yield inserted_line(scene.source, at, f"{indent}{name} = {value}", "default.initial", node.lineno)


def missing_imports(scene: Scene, names: list[str]) -> Iterator[Edit]:
    """Imports of names that an error message says are not defined, as the project or the standard library has them."""
    source = scene.source
    body = [node for node in scene.tree.body if not _is_docstring(node)]
    plain = [node for node in body if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")]
    if not plain or not source.alone(plain[0]):
        return
    at, line = source.whole_lines(plain[0])[0], plain[0].lineno
    for name in names:
        texts: dict[str, None] = {}
        for other in (source, *scene.project):
            for node in ast.walk(other.tree):
                if isinstance(node, ast.Import | ast.ImportFrom) and name in _bound_by(node):
                    texts[_one_import(node, name)] = None
            if name in {getattr(node, "name", None) for node in other.tree.body} and other is not source:
                module = other.path.removesuffix(".py").removesuffix("/__init__").removeprefix("src/").replace("/", ".")
                texts[f"from {module} import {name}"] = None
        if name in sys.stdlib_module_names:
            texts[f"import {name}"] = None
        for module in (
            "collections",
            "functools",
            "itertools",
            "typing",
            "pathlib",
            "math",
            "re",
            "dataclasses",
            "copy",
        ):
            if name in _exports(module):
                texts[f"from {module} import {name}"] = None
        for text in texts:
            yield inserted_line(source, at, text, "import.missing", line)


def _copies(scene: Scene, node: ast.stmt, function: Function) -> list[tuple[str, str]]:
    if function not in scene.copies:
        scene.copies[function] = list(_find_copies(scene, function))
    made = {text: kind for text, kind, where in scene.copies[function] if where is not node}
    return list(made.items())[:SEEN]


def _find_copies(scene: Scene, function: Function) -> Iterator[tuple[str, str, ast.AST]]:
    known = set(scene.siblings_of(function)) | set(scene.defined) | BUILTINS
    owner = scene.source.class_of(function)
    own_names = set(scene.names_in(function))
    seen: set[str] = set()
    for scope, kind in ((function, "own"), (owner, "class"), (scene.tree, "file")):
        for each in ast.walk(scope) if scope is not None else ():
            small = isinstance(
                each, ast.Expr | ast.Assign | ast.AugAssign | ast.Raise | ast.Delete | ast.Return | ast.Assert
            )
            if not small or (kind != "own" and not isinstance(each, ast.Expr | ast.Assign | ast.AugAssign)):
                continue
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                continue
            names = _names(each)
            if not all(name in known for name in names) or (kind == "file" and not own_names.intersection(names)):
                continue
            text = scene.text(each)
            if "\n" in text or len(text) > 90 or text in seen:
                continue
            seen.add(text)
            yield text, kind, each
            if len(seen) > 2 * SEEN:
                return


def _values(scene: Scene, function: Function, name: str) -> list[str]:
    returned = [
        scene.text(each.value) for each in scene.nodes_of(function) if isinstance(each, ast.Return) and each.value
    ]
    known = set(parameters(function)) | set(scene.defined) | BUILTINS
    simple = [
        text for text in returned
        if len(text) <= 30 and "\n" not in text and all(n in known for n in _WORD.findall(text))
    ]  # fmt: skip
    return list(dict.fromkeys([*simple[:3], "None", name, "0", "0.0", "False", "True", "[]", "''", "1", "{}"]))


def _plain(node: ast.Attribute) -> bool:
    """True for attributes of names that are read."""
    return isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load)


def _raises(scene: Scene, function: Function) -> Iterator[str]:
    for each in scene.nodes_of(function):
        if isinstance(each, ast.Raise) and each.exc is not None:
            text = scene.text(each)
            if "\n" not in text and len(text) < 90:
                yield text


def _optional(function: Function) -> list[str]:
    a = function.args
    named = [*a.posonlyargs, *a.args]
    with_default = [arg.arg for arg, value in zip(reversed(named), reversed(a.defaults), strict=False) if _none(value)]
    return with_default + [arg.arg for arg, value in zip(a.kwonlyargs, a.kw_defaults, strict=True) if _none(value)]


def _none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _first(function: Function) -> ast.stmt:
    body = function.body
    return body[1] if len(body) > 1 and _is_docstring(body[0]) else body[0]


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _names(node: ast.AST) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]


def _bound_by(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.asname or alias.name for alias in node.names]


def _one_import(node: ast.Import | ast.ImportFrom, name: str) -> str:
    alias = next(each for each in node.names if (each.asname or each.name) == name)
    shown = alias.name + (f" as {alias.asname}" if alias.asname else "")
    if isinstance(node, ast.Import):
        return f"import {shown}"
    return f"from {'.' * node.level}{node.module or ''} import {shown}"


def _exports(module: str) -> set[str]:
    """Public names of a standard module; these are small and import nothing else of weight."""
    import importlib

    return set(dir(importlib.import_module(module)))
