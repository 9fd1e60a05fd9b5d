"""What an operator may look at: one file, its names, and what the rest of the project offers."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from hybrid_agent.swe.edits import Edit, Splice, edit
from hybrid_agent.swe.source import Function, Source

BUILTINS = frozenset(dir(builtins))
COMMON_CALLS = ("abs", "int", "len", "list", "set", "sorted", "str")


class Scene:
    """One file with tables that operators share. All lists are in order of first appearance.

    Args:
        source: the file; it must parse.
        project: other files of the project whose functions and classes may be called.
        told: short strings that the issue or the failures quote.
    """

    def __init__(self, source: Source, project: tuple[Source, ...] = (), told: tuple[str, ...] = ()) -> None:
        self.source = source
        self.tree = source.tree
        self.project = project
        self.told = told
        self.wrappers: dict[Function | None, list[str]] = {}  # kept by the operators on calls
        self.conditions: dict[Function, list[str]] = {}
        self.copies: dict[Function, list[tuple[str, str, ast.AST]]] = {}
        self.keywords: dict[str, list[str]] = {}
        self._nodes: dict[Function, list[ast.AST]] = {}
        self._own: dict[ast.AST, list[str]] = {}
        self._siblings: dict[Function | None, list[str]] = {}
        self.zero_methods: list[str] | None = None
        self._in_function: dict[ast.AST | None, list[str]] = {}

    def nodes_of(self, function: Function) -> list[ast.AST]:
        """Nodes of a function without those of functions inside it."""
        if function not in self._nodes:
            self._nodes[function] = list(own_nodes(function))
        return self._nodes[function]

    def names_in(self, function: Function | None) -> list[str]:
        """Parameters and names bound in a function (of the module, for None)."""
        if function not in self._in_function:
            found: dict[str, None] = {}
            if function is not None:
                found.update(dict.fromkeys(parameters(function)))
            for node in self.nodes_of(function) if function is not None else own_nodes(self.tree):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    found[node.id] = None
                elif isinstance(node, ast.ExceptHandler) and node.name:
                    found[node.name] = None
            self._in_function[function] = list(found)
        return self._in_function[function]

    @cached_property
    def defined(self) -> dict[str, ast.AST]:
        """Functions and classes at the top of the module, imports included (their statement)."""
        found: dict[str, ast.AST] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    found[(alias.asname or alias.name).partition(".")[0]] = node
        for node in self.tree.body:
            if isinstance(node, Function | ast.ClassDef):
                found[node.name] = node
        return found

    @cached_property
    def globals(self) -> list[str]:
        """Names bound at the top of the module, functions, classes and imports apart."""
        return [name for name in self.names_in(None) if name not in self.defined]

    @cached_property
    def methods(self) -> dict[str, list[Function]]:
        """Every function of the project by its name, methods included."""
        found: dict[str, list[Function]] = {}
        for source in (self.source, *self.project):
            for node in ast.walk(source.tree):
                if isinstance(node, Function):
                    found.setdefault(node.name, []).append(node)
        return found

    @cached_property
    def classes(self) -> list[dict[str, int | None]]:
        """Members of each class of the project: methods with their number of arguments, fields with None."""
        found: list[dict[str, int | None]] = []
        for source in (self.source, *self.project):
            for owner in ast.walk(source.tree):
                if not isinstance(owner, ast.ClassDef):
                    continue
                members: dict[str, int | None] = {}
                for each in owner.body:
                    if isinstance(each, Function):
                        plain = any(
                            getattr(d, "id", "") in ("property", "cached_property") for d in each.decorator_list
                        )
                        members[each.name] = None if plain else len(parameters(each)) - 1
                    elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                        members[each.target.id] = None
                for node in ast.walk(owner):
                    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                        members.setdefault(node.attr, None)
                found.append(members)
        return found

    @cached_property
    def attributes(self) -> dict[str, Counter[str]]:
        """Attributes by the text of the object they are read from."""
        found: dict[str, Counter[str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.setdefault(node.value.id, Counter())[node.attr] += 1
        return found

    @cached_property
    def strings(self) -> list[str]:
        """Short strings of the file."""
        found: dict[str, None] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) <= 24:
                found[node.value] = None
        return list(found)

    def siblings_of(self, function: Function | None) -> list[str]:
        """Names that can be read in a function: its own first, then those of functions around it, then the module's."""
        if function not in self._siblings:
            found: dict[str, None] = {}
            at: Function | None = function
            while at is not None:
                found.update(dict.fromkeys(self.names_in(at)))
                at = self.source.function(at)
            found.update(dict.fromkeys(self.globals))
            self._siblings[function] = list(found)
        return self._siblings[function]

    def own_attributes(self, node: ast.AST) -> list[str]:
        """Attributes that the class around a node sets or reads on self."""
        owner = self.source.class_of(node)
        if owner is None:
            return []
        if owner not in self._own:
            found: dict[str, None] = {}
            for each in ast.walk(owner):
                if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "self":
                    found[each.attr] = None
            self._own[owner] = list(found)
        return self._own[owner]

    def text(self, node: ast.AST) -> str:
        """The node's own text."""
        return self.source.segment(node)

    def replace(self, node: ast.AST, new: str, operator: str, note: str = "") -> Edit:
        """An edit that puts other text in a node's place."""
        start, end = self.source.span(node)
        line = node.lineno  # type: ignore[attr-defined]
        return edit(
            self.source.path, start, end, new, operator, line, note or f"`{cut(self.text(node))}` -> `{cut(new)}`"
        )

    def fitted(self, node: ast.AST, new: str, operator: str) -> Edit:
        """`replace` with parentheses where the place may need them."""
        above = self.source.parents.get(node)
        tight = ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.Attribute | ast.IfExp | ast.Starred | ast.Await
        inside = isinstance(above, tight) or (isinstance(above, ast.Subscript | ast.Call) and node is _head_of(above))
        start, end = self.source.span(node)
        has = self.source.text[max(start - 1, 0) : start] == "(" and self.source.text[end : end + 1] == ")"
        return self.replace(node, f"({new})" if inside and not has else new, operator)

    def span_edit(self, start: int, end: int, new: str, operator: str, line: int, note: str) -> Edit:
        """An edit of a piece of the file."""
        return edit(self.source.path, start, end, new, operator, line, note)

    def swap(self, one: ast.AST, other: ast.AST, operator: str) -> Edit:
        """An edit that exchanges two nodes."""
        a, b = sorted((self.source.span(one), self.source.span(other)))
        text = self.source.text
        splices = (Splice(*a, text[slice(*b)]), Splice(*b, text[slice(*a)]))
        line = one.lineno  # type: ignore[attr-defined]
        note = f"`{cut(text[slice(*a)])}` and `{cut(text[slice(*b)])}` exchanged"
        return Edit(self.source.path, splices, operator, line, note)

    def bracketed(self, node: ast.AST) -> str:
        """The node's text, in parentheses where precedence may need them."""
        text = self.text(node)
        plain = ast.Name | ast.Constant | ast.Attribute | ast.Call | ast.Subscript | ast.List | ast.Dict | ast.Set
        return text if isinstance(node, plain) else f"({text})"


def _head_of(node: ast.Subscript | ast.Call) -> ast.expr:
    return node.value if isinstance(node, ast.Subscript) else node.func


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function or module without those of functions and classes inside it."""
    todo = list(ast.iter_child_nodes(scope))[::-1]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            todo.extend(list(ast.iter_child_nodes(node))[::-1])


def parameters(function: Function) -> list[str]:
    """Names of all parameters in order."""
    a = function.args
    named = [*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs, *([a.kwarg] if a.kwarg else [])]
    return [each.arg for each in named]


def cut(text: str, width: int = 60) -> str:
    """Text on one line, cut."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."


def expressions(statement: ast.AST, source: Source | None = None) -> Iterator[ast.AST]:
    """Expressions of one statement: not those of statements inside it, nor annotations, which seldom do anything.

    Python before 3.12 does not always give exact places inside f-strings: with `source`, expressions there are given
    if the text at their place is theirs; without it none are.
    """
    notes = set(_annotations(statement))
    todo = list(ast.iter_child_nodes(statement))
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case) or node in notes:
            continue
        if isinstance(node, ast.JoinedStr):
            if source is None or "\n" in source.segment(node):
                continue
            parts = [each.value for each in node.values if isinstance(each, ast.FormattedValue)]
            todo[:0] = [each for each in parts if _exact(each, source)]
            continue
        if isinstance(node, ast.expr):
            yield node
        todo[:0] = list(ast.iter_child_nodes(node))


def _annotations(statement: ast.AST) -> Iterator[ast.AST]:
    if isinstance(statement, ast.AnnAssign):
        yield statement.annotation
    elif isinstance(statement, Function):
        every = [each for each in ast.walk(statement.args) if isinstance(each, ast.arg)]
        yield from (each.annotation for each in every if each.annotation is not None)
        if statement.returns is not None:
            yield statement.returns


def _exact(node: ast.expr, source: Source) -> bool:
    """True when the file has this expression at the place that the tree gives."""
    try:
        found = ast.parse(source.segment(node), mode="eval").body
    except (SyntaxError, ValueError):
        return False
    return ast.dump(found) == ast.dump(node)
