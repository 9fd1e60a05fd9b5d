"""Another variable, attribute or callee of the same kind."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator

from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.scene import BUILTINS, Scene
from hybrid_agent.swe.source import Function

MOST = 14
# Names that are easily taken for one another.
LIKE = (
    ("min", "max"), ("any", "all"), ("sorted", "reversed", "list"), ("str", "repr"), ("int", "float", "round"),
    ("set", "list", "tuple", "frozenset"), ("append", "extend", "insert", "appendleft"), ("lower", "upper", "casefold"),
    ("startswith", "endswith"), ("strip", "lstrip", "rstrip"), ("find", "rfind", "index", "rindex"),
    ("keys", "values", "items"), ("get", "pop", "setdefault"), ("add", "discard", "remove", "update"),
    ("pop", "popleft", "popitem"), ("split", "rsplit", "splitlines", "partition"), ("partition", "rpartition"),
    ("isdigit", "isnumeric", "isalpha", "isalnum", "isdecimal"), ("union", "intersection", "difference"),
    ("issubset", "issuperset"), ("floor", "ceil", "trunc"), ("left", "right"), ("first", "last"),
    ("start", "end", "stop"),
    ("encode", "decode"), ("match", "search", "fullmatch"), ("isinstance", "issubclass"), ("write", "writelines"),
    ("heappush", "heappop"), ("bisect_left", "bisect_right", "bisect"), ("ljust", "rjust", "center"), ("sum", "len"),
    ("group", "groups"), ("x", "y"), ("i", "j"), ("row", "col"), ("key", "value"), ("width", "height"), ("a", "b"),
    ("read", "readline", "readlines"), ("copy", "deepcopy"), ("parent", "child"), ("next", "prev"), ("head", "tail"),
    ("ValueError", "TypeError", "KeyError", "IndexError"), ("getattr", "hasattr"), ("map", "filter"),
    ("zip", "enumerate"),
    ("title", "capitalize"), ("src", "dst"), ("source", "target"), ("low", "high"), ("lo", "hi"), ("old", "new"),
)  # fmt: skip


def alike(name: str) -> list[str]:
    """Names that are easily mixed up with this one."""
    return [other for group in LIKE if name in group for other in group if other != name]


def close(name: str, others: Iterable[str], most: int = MOST) -> list[str]:
    """The others, those spelled like the name first; the order among equals is kept."""
    unique = [other for other in dict.fromkeys(others) if other != name]
    if len(unique) <= most:
        return unique
    ratio = {other: difflib.SequenceMatcher(None, name, other).quick_ratio() for other in unique[:80]}
    near = sorted(ratio, key=lambda other: -ratio[other])[: most // 2]
    return list(dict.fromkeys([*near, *unique]))[:most]


def variable(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Another variable that can be read here, an attribute of self, or one's own attribute as a plain name."""
    if not isinstance(node, ast.Name):
        return
    above = scene.source.parents.get(node)
    if isinstance(above, ast.Call) and above.func is node:
        return  # see `callee`
    function = scene.source.function(node)
    load = isinstance(node.ctx, ast.Load)
    if load and isinstance(above, ast.Attribute) and node.id == "self":
        return
    if isinstance(node.ctx, ast.Del):
        return
    names = scene.siblings_of(function) if load else scene.names_in(function)
    for other in close(node.id, [*alike_seen(scene, node.id, names), *names]):
        yield scene.replace(node, other, "name.local" if load else "name.target")
    if load:
        if node.id in ("True", "False") or node.id in scene.defined or node.id in BUILTINS:
            return
        own = [f"self.{attr}" for attr in scene.own_attributes(node)] if function and _has_self(function) else []
        near = [text for text in own if text[5:].strip("_") == node.id.strip("_")] or own[:4]
        for text in near:
            yield scene.replace(node, text, "name.to_self")
        for attr, _ in scene.attributes.get(node.id, {}).items() if node.id in scene.attributes else ():
            if not isinstance(above, ast.Attribute | ast.Subscript):
                yield scene.replace(node, f"{node.id}.{attr}", "name.to_attr")


def alike_seen(scene: Scene, name: str, names: Iterable[str]) -> list[str]:
    """Look-alikes that exist here."""
    known = set(names) | BUILTINS
    return [other for other in alike(name) if other in known]


def attribute(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Another attribute that objects of this name have elsewhere; or none."""
    if not isinstance(node, ast.Attribute):
        return
    above = scene.source.parents.get(node)
    called = isinstance(above, ast.Call) and above.func is node
    owner = node.value.id if isinstance(node.value, ast.Name) else None
    seen = list(scene.attributes.get(owner, {})) if owner else []
    if owner == "self":
        seen = scene.own_attributes(node) or seen
    methods = {name for name in seen if name in scene.methods}
    seen = [name for name in seen if (name in methods) == (called or node.attr in methods)]
    if not called and owner not in ("self", "cls"):
        seen += [name for counter in scene.attributes.values() for name in counter if _same_shape(name, node.attr)]
    base = scene.text(node.value)
    for other in dict.fromkeys([*alike(node.attr), *close(node.attr, seen)]):
        if other != node.attr:
            yield scene.replace(node, f"{base}.{other}", "attr.call" if called else "attr.read")
    if not called and owner and isinstance(node.ctx, ast.Load):
        yield scene.replace(node, base, "attr.away")
        if owner == "self":
            function = scene.source.function(node)
            if function and node.attr.lstrip("_") in scene.names_in(function):
                yield scene.replace(node, node.attr.lstrip("_"), "attr.to_name")


def callee(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Another function of the module (or a look-alike builtin) that takes as many arguments."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    name = node.func.id
    fits = [other for other, made in scene.defined.items() if isinstance(made, Function) and _takes(made, node)]
    if name in scene.defined and isinstance(scene.defined[name], ast.ClassDef):
        fits = [other for other, made in scene.defined.items() if isinstance(made, ast.ClassDef)]
    elif name in scene.defined and isinstance(scene.defined[name], ast.Import | ast.ImportFrom):
        fits += [other for other, made in scene.defined.items() if isinstance(made, ast.ImportFrom)]
    local = [other for other in scene.names_in(scene.source.function(node)) if other not in scene.defined]
    pool = fits if name not in BUILTINS else []
    for other in dict.fromkeys(
        [*(o for o in alike(name) if o in BUILTINS or o in scene.defined), *close(name, pool, 10)]
    ):
        if other != name:
            yield scene.replace(node.func, other, "callee.other")
    if name in local:
        for other in close(name, local, 6):
            yield scene.replace(node.func, other, "callee.local")


def _takes(made: Function, call: ast.Call) -> bool:
    count = len(call.args)
    least = len(made.args.posonlyargs) + len(made.args.args) - len(made.args.defaults)
    most = len(made.args.posonlyargs) + len(made.args.args)
    return least - len(call.keywords) <= count <= most or made.args.vararg is not None


def _has_self(function: Function) -> bool:
    return bool(function.args.args) and function.args.args[0].arg == "self"


def _same_shape(name: str, other: str) -> bool:
    return difflib.SequenceMatcher(None, name, other).quick_ratio() > 0.7
