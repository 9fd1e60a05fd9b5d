"""Python code with one mistake in it, made on the syntax tree and written back into the text as it is laid out.

Fragments (the lines of a replaced function body) are parsed inside a frame, so that edits can be mutated too.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator

Span = tuple[int, int]
Found = tuple[Span, str, str]

_COMPARE: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"), ast.LtE: ("<", ">="), ast.Gt: (">=", "<"), ast.GtE: (">", "<="), ast.Eq: ("!=",),
    ast.NotEq: ("==",), ast.In: ("not in",), ast.NotIn: ("in",), ast.Is: ("is not",), ast.IsNot: ("is",),
}  # fmt: skip
_BINARY: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("-",), ast.Sub: ("+",), ast.Mult: ("+", "**"), ast.Div: ("//",), ast.FloorDiv: ("/", "%"),
    ast.Mod: ("//",), ast.Pow: ("*",),
}  # fmt: skip
_APIS = {
    "max": "min", "min": "max", "sum": "len", "len": "sum", "any": "all", "all": "any", "sorted": "list",
    "reversed": "sorted", "set": "list", "list": "set", "abs": "int", "str": "repr", "range": "len", "zip": "map",
    "enumerate": "zip", "upper": "lower", "lower": "upper", "title": "upper", "startswith": "endswith",
    "endswith": "startswith", "append": "extend", "extend": "append", "split": "splitlines", "splitlines": "split",
    "strip": "lstrip", "isupper": "islower", "islower": "isupper", "isdigit": "isalpha", "isalpha": "isdigit",
    "count": "index", "index": "count", "items": "keys", "keys": "values", "values": "keys", "join": "split",
    "assertEqual": "assertNotEqual", "assertTrue": "assertFalse", "mean": "median", "median": "mean", "pop": "append",
    "capitalize": "lower", "replace": "strip", "find": "count", "round": "int", "int": "str", "next": "list",
}  # fmt: skip


def code_mutants(code: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Variants of Python code, each with the name of its mistake, in random order; none if it does not parse."""
    framed = _parse(code)
    if framed is None:
        return
    tree, lines_before = framed
    place = _Places(code, lines_before)
    found = [entry for node in ast.walk(tree) for entry in _of_node(node, place)]
    found += list(_variables(tree, place, rng))
    rng.shuffle(found)
    seen = {code}
    for (start, end), text, how in found:
        changed = (place.data[:start] + text.encode() + place.data[end:]).decode()
        if changed not in seen:
            seen.add(changed)
            yield changed, how


def _parse(code: str) -> tuple[ast.Module, int] | None:
    """The tree, and how many lines a frame put before the code."""
    frames = [
        "",
        "def f():\n" if code[:1] in " \t" else None,
        "class A:\n def f(self):\n" if code[:4] == "    " else None,
    ]
    for frame in frames:
        if frame is None:
            continue
        try:
            return ast.parse(frame + code), frame.count("\n")
        except (SyntaxError, ValueError, RecursionError):
            continue
    return None


class _Places:
    """From positions of nodes to offsets in the code."""

    def __init__(self, code: str, lines_before: int) -> None:
        self.data = code.encode()
        self._before = lines_before
        starts = [0]
        for line in self.data.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        self._starts = starts

    def span(self, node: ast.expr | ast.stmt) -> Span | None:
        """Where a node stands; None for what belongs to the frame."""
        line, end = node.lineno - 1 - self._before, (node.end_lineno or 0) - 1 - self._before
        if line < 0 or end < 0 or end >= len(self._starts) - 1:
            return None
        return self._starts[line] + node.col_offset, self._starts[end] + (node.end_col_offset or 0)

    def text(self, node: ast.expr | ast.stmt) -> str:
        """The source of a node."""
        span = self.span(node)
        return "" if span is None else self.data[span[0] : span[1]].decode()

    def between(self, left: ast.expr, right: ast.expr) -> Span | None:
        """The operator between two operands, spaces and brackets aside."""
        a, b = self.span(left), self.span(right)
        if a is None or b is None or a[1] >= b[0]:
            return None
        gap = self.data[a[1] : b[0]]
        found = re.search(rb"[^\s()]+(?:\s+(?:in|not))?", gap)
        return None if found is None else (a[1] + found.start(), a[1] + found.end())


def _of_node(node: ast.AST, place: _Places) -> Iterator[Found]:
    for kind, rule in _RULES:
        if isinstance(node, kind):
            for span, text, how in rule(node, place):
                if span is not None:
                    yield span, text, how


Maybe = Iterator[tuple[Span | None, str, str]]


def _compare(node: ast.Compare, place: _Places) -> Maybe:
    operands = [node.left, *node.comparators]
    for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
        for other in _COMPARE.get(type(op), ()):
            yield place.between(left, right), other, "wrong comparison"


def _binary(node: ast.BinOp, place: _Places) -> Maybe:
    for other in _BINARY.get(type(node.op), ()):
        yield place.between(node.left, node.right), other, "wrong operator"


def _boolean(node: ast.BoolOp, place: _Places) -> Maybe:
    other = "or" if isinstance(node.op, ast.And) else "and"
    yield place.between(node.values[0], node.values[1]), other, "wrong operator"
    yield place.span(node), place.text(node.values[0]), "condition dropped"
    yield place.span(node), place.text(node.values[-1]), "condition dropped"


def _unary(node: ast.UnaryOp, place: _Places) -> Maybe:
    if isinstance(node.op, ast.Not | ast.USub):
        yield place.span(node), place.text(node.operand), "operator dropped"


def _constant(node: ast.Constant, place: _Places) -> Maybe:
    value = node.value
    if isinstance(value, bool):
        yield place.span(node), str(not value), "wrong value"
    elif isinstance(value, int):
        yield place.span(node), str(value + 1), "off by one"
        yield place.span(node), str(value - 1), "off by one"
    elif isinstance(value, str) and value and "\n" not in value and place.text(node)[:1] in "\"'":
        quote = place.text(node)[0]
        changed = value.swapcase() if value.swapcase() != value else value + " "
        if quote not in changed and "\\" not in changed:
            yield place.span(node), quote + changed + quote, "wrong value"
    elif value is None:
        yield place.span(node), "0", "wrong value"


def _call(node: ast.Call, place: _Places) -> Maybe:
    if isinstance(node.func, ast.Name):
        name, span = node.func.id, place.span(node.func)
        if name == "range" and len(node.args) == 1:
            inner = place.text(node.args[0])
            yield place.span(node.args[0]), inner + " + 1", "off by one"
            yield place.span(node.args[0]), inner + " - 1", "off by one"
            yield place.span(node.args[0]), "1, " + inner, "off by one"
        if name in _APIS:
            yield span, _APIS[name], "wrong function"
        if name in ("sorted", "reversed", "set", "abs", "list", "str") and len(node.args) == 1:
            yield place.span(node), place.text(node.args[0]), "call dropped"
    elif isinstance(node.func, ast.Attribute) and node.func.attr in _APIS:
        whole = place.span(node.func)
        if whole is not None:
            start = whole[1] - len(node.func.attr.encode())
            yield (start, whole[1]), _APIS[node.func.attr], "wrong function"
    if len(node.args) >= 2 and not any(isinstance(a, ast.Starred) for a in node.args):
        first, second = node.args[:2]
        a, b = place.span(first), place.span(second)
        if a is not None and b is not None:
            middle = place.data[a[1] : b[0]].decode()
            yield (a[0], b[1]), place.text(second) + middle + place.text(first), "arguments swapped"
    for keyword in node.keywords:
        if keyword.arg == "default":
            yield place.span(keyword.value), "0", "wrong default"
        if keyword.arg == "reverse":
            yield place.span(keyword.value), "False", "wrong order"


def _subscript(node: ast.Subscript, place: _Places) -> Maybe:
    if isinstance(node.slice, ast.Slice):
        for part in (node.slice.lower, node.slice.upper):
            if part is not None:
                yield place.span(part), f"{place.text(part)} + 1", "off by one"
    elif not isinstance(node.slice, ast.Tuple):
        yield place.span(node.slice), f"{place.text(node.slice)} + 1", "off by one"


def _if(node: ast.If | ast.IfExp | ast.While, place: _Places) -> Maybe:
    text = place.text(node.test)
    yield place.span(node.test), f"not ({text})", "condition turned round"
    if not isinstance(node, ast.While):
        yield place.span(node.test), "True", "condition dropped"


def _comprehension(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, place: _Places) -> Maybe:
    for generator in node.generators:
        for test in generator.ifs:
            yield place.span(test), "True", "condition dropped"
            yield place.span(test), f"not ({place.text(test)})", "condition turned round"


def _return(node: ast.Return, place: _Places) -> Maybe:
    if node.value is not None:
        yield place.span(node), place.text(node.value), "missing return"
        yield place.span(node.value), "None", "wrong value"


def _statement(node: ast.AugAssign | ast.Continue | ast.Break, place: _Places) -> Maybe:
    yield place.span(node), "pass", "statement dropped"


_RULES: tuple[tuple[tuple[type[ast.AST], ...], Callable[..., Maybe]], ...] = (
    ((ast.Compare,), _compare), ((ast.BinOp,), _binary), ((ast.BoolOp,), _boolean), ((ast.UnaryOp,), _unary),
    ((ast.Constant,), _constant), ((ast.Call,), _call), ((ast.Subscript,), _subscript),
    ((ast.If, ast.IfExp, ast.While), _if),
    ((ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp), _comprehension),
    ((ast.Return,), _return), ((ast.AugAssign, ast.Continue, ast.Break), _statement),
)  # fmt: skip


def _variables(tree: ast.Module, place: _Places, rng: random.Random) -> Iterator[Found]:
    """A name read where another one was meant."""
    read = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    for node in read:
        others = sorted(bound - {node.id})
        span = place.span(node)
        if node.id in bound and others and span is not None:
            yield span, rng.choice(others), "wrong variable"
