"""Arguments of calls, and calls put around a value or taken off it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from hybrid_agent.swe.edits import Edit
from hybrid_agent.swe.scene import COMMON_CALLS, Scene, parameters
from hybrid_agent.swe.source import Function

METHODS = ("copy", "strip")


def arguments(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """Arguments exchanged, left out, or added where the callee's definition has room."""
    if not isinstance(node, ast.Call):
        return
    args = node.args
    for one in range(len(args)):
        for other in range(one + 1, min(len(args), one + 3)):
            if ast.dump(args[one]) != ast.dump(args[other]):
                yield scene.swap(args[one], args[other], "args.swap")
    for this, following in zip(node.keywords, node.keywords[1:], strict=False):
        yield scene.swap(this.value, following.value, "args.swap_keywords")
    parts = [scene.text(each) for each in args]
    words = [scene.text(each) for each in node.keywords]
    head = scene.text(node.func)
    for place in range(len(parts)):
        if not isinstance(args[place], ast.GeneratorExp):
            kept = parts[:place] + parts[place + 1 :] + words
            yield scene.replace(node, f"{head}({', '.join(kept)})", "args.drop")
    for place in range(len(words)):
        kept = parts + words[:place] + words[place + 1 :]
        yield scene.replace(node, f"{head}({', '.join(kept)})", "args.drop_keyword")
    if any(isinstance(each, ast.Starred | ast.GeneratorExp) for each in args):
        return
    yield from _added(scene, node, head, parts, words)


def _added(scene: Scene, node: ast.Call, head: str, parts: list[str], words: list[str]) -> Iterator[Edit]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    function = scene.source.function(node)
    names = scene.siblings_of(function)
    given = {word.arg for word in node.keywords}
    for made in scene.methods.get(name, [])[:3]:
        wanted = parameters(made)
        if isinstance(node.func, ast.Attribute) and wanted[:1] in (["self"], ["cls"]):
            wanted = wanted[1:]
        for missing in wanted[len(parts) :]:
            if missing in given:
                continue
            values = [
                value for value in (missing, f"self.{missing}") if value in names or value[5:] in _own(scene, node)
            ]
            for value in [*values, *names[:4], "None", "0"]:
                new = (
                    [*parts, value, *words] if missing == wanted[len(parts)] else [*parts, *words, f"{missing}={value}"]
                )
                yield scene.replace(node, f"{head}({', '.join(new)})", "args.add")
    if name in scene.methods:
        return
    for keyword in _seen_keywords(scene, name):
        if keyword.partition("=")[0] not in given:
            yield scene.replace(node, f"{head}({', '.join([*parts, *words, keyword])})", "args.add_seen")
    if name in ("sorted", "sort"):
        yield scene.replace(node, f"{head}({', '.join([*parts, *words, 'reverse=True'])})", "args.reverse")
    if name in ("get", "getattr", "pop", "next", "dict.get") and len(parts) in (1, 2):
        for value in ("None", "0", "[]", "''"):
            yield scene.replace(node, f"{head}({', '.join([*parts, value])})", "args.default")


def _own(scene: Scene, node: ast.AST) -> list[str]:
    return scene.own_attributes(node)


def _seen_keywords(scene: Scene, name: str) -> list[str]:
    if name in scene.keywords:
        return scene.keywords[name]
    found: Counter[str] = Counter()
    for node in ast.walk(scene.tree):
        if isinstance(node, ast.Call) and name in (getattr(node.func, "id", None), getattr(node.func, "attr", None)):
            for keyword in node.keywords:
                text = scene.text(keyword)
                if keyword.arg and len(text) < 40:
                    found[text] += 1
    scene.keywords[name] = [text for text, _ in found.most_common(4)]
    return scene.keywords[name]


def wrapping(scene: Scene, node: ast.AST) -> Iterator[Edit]:
    """A call of one argument taken off a value, or put around it as elsewhere in the file."""
    if isinstance(node, ast.Call):
        if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
            yield scene.replace(node, scene.text(node.args[0]), "wrap.off")
        if isinstance(node.func, ast.Attribute) and not isinstance(scene.source.parents.get(node), ast.Expr):
            yield scene.replace(node, scene.text(node.func.value), "wrap.method_off")
    above = scene.source.parents.get(node)
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp | ast.GeneratorExp):
        return
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    value_of = isinstance(above, ast.Return | ast.Assign | ast.AugAssign | ast.comprehension | ast.For) or (
        isinstance(above, ast.Call) and node in above.args
    ) or isinstance(above, ast.Compare | ast.BinOp | ast.keyword)  # fmt: skip
    if not value_of or (
        isinstance(above, ast.Call | ast.Attribute) and isinstance(node, ast.Name) and node.id in ("self", "cls")
    ):
        return
    text = scene.text(node)
    for name in _wrappers(scene, node):
        if not text.startswith(f"{name}("):
            yield scene.replace(node, f"{name}({text})", "wrap.on")
    yield from _bounded(scene, node, above, text)
    bare = scene.bracketed(node)
    for name in _zero_methods(scene):
        if not text.endswith(f".{name}()"):
            yield scene.replace(node, f"{bare}.{name}()", "wrap.method_on")


def _bounded(scene: Scene, node: ast.AST, above: ast.AST | None, text: str) -> Iterator[Edit]:
    """A value kept within bounds, given a fallback, or copied."""
    if isinstance(above, ast.Return | ast.Assign | ast.AugAssign | ast.Call | ast.keyword):
        yield scene.replace(node, f"max({text}, 0)", "wrap.bound")
        function = scene.source.function(node)
        names = [name for name in scene.names_in(function) if name not in ("self", "cls", text)] if function else []
        for name in names[-4:]:
            yield scene.replace(node, f"max({text}, {name})", "wrap.bound")
            yield scene.replace(node, f"min({text}, {name})", "wrap.bound")
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            yield scene.replace(node, f"dict({text})", "wrap.copy")
            if "copy" in scene.defined:
                yield scene.replace(node, f"copy.deepcopy({text})", "wrap.copy")
    if isinstance(above, ast.comprehension | ast.For | ast.Call) and isinstance(
        node, ast.Name | ast.Attribute | ast.Call
    ):
        for fallback in ("[]", "{}"):
            yield scene.replace(node, f"{text} or {fallback}", "default.or")


def _wrappers(scene: Scene, node: ast.AST) -> list[str]:
    """Functions of one argument: those called in this function first, then those of the module, then builtins."""
    function = scene.source.function(node)
    if function not in scene.wrappers:
        found: dict[str, None] = {}
        for each in ast.walk(function or scene.tree):
            if isinstance(each, ast.Call) and len(each.args) == 1 and not each.keywords:
                text = scene.text(each.func)
                if len(text) <= 30 and "(" not in text:
                    found[text] = None
        names = list(found)[:5]
        ours = [name for name, made in scene.defined.items() if isinstance(made, Function) and _one_argument(made)]
        scene.wrappers[function] = list(dict.fromkeys([*names, *ours[:4], *COMMON_CALLS]))
    return scene.wrappers[function]


def _one_argument(made: Function) -> bool:
    return len(made.args.args) == 1


def _zero_methods(scene: Scene) -> list[str]:
    """Methods without arguments that the file calls, most frequent first."""
    if scene.zero_methods is None:
        found: Counter[str] = Counter()
        for node in ast.walk(scene.tree):
            if (
                isinstance(node, ast.Call)
                and not node.args
                and not node.keywords
                and isinstance(node.func, ast.Attribute)
            ):
                found[node.func.attr] += 1
        scene.zero_methods = list(dict.fromkeys([*(name for name, _ in found.most_common(3)), *METHODS]))
    return scene.zero_methods
