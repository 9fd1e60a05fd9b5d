"""What one candidate looks like, without running it: parsing, static checks, size, shape and its prompt's words."""

from __future__ import annotations

import ast
import builtins
import math
import re
from collections.abc import Iterator, Sequence

from hybrid_agent.scorer.pool.program import FunctionNode, body, function, parse, tokens
from hybrid_agent.scorer.pool.records import PoolTask

BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__"}
STOP = frozenset("the a an of to in is are and or that it its be as for with if by on you this given return".split())
BRANCHES = (ast.If, ast.For, ast.While, ast.IfExp, ast.ExceptHandler, ast.comprehension, ast.BoolOp, ast.Assert)


def static_features(task: PoolTask) -> list[dict[str, float]]:
    """Named figures of each candidate; absent ones (a tree where nothing parses) count as 0."""
    words = set(_words(task.prompt)) - STOP
    tree = parse(task.prompt + "\n    pass\n")
    given = set(_bound(tree)) if tree is not None else {task.entry_point}
    wanted = _annotated(tree, task.entry_point)
    return [_of(task, i, words, given, wanted) for i in range(len(task.candidates))]


def _of(task: PoolTask, index: int, words: set[str], given: set[str], wanted: str) -> dict[str, float]:
    text = task.candidates[index]
    lines = [line for line in text.splitlines() if line.strip()]
    comments = [line for line in lines if line.strip().startswith("#")]
    own = set(_words(text)) - STOP
    out = {
        "log_chars": math.log1p(len(text)),
        "log_lines": math.log1p(len(lines)),
        "comment_share": len(comments) / max(1, len(lines)),
        "hash_run": float("########" in text),
        "whole_end": float(text.endswith("\n")),
        "extra_asserts": float(any(line.startswith("assert") for line in lines)),
        "extra_code": float(any(line[:1] not in (" ", "\t", "#") for line in lines)),
        "todo": float(bool(re.search(r"TODO|FIXME|NotImplemented|your code|Your code", text))),
        "prints": float("print(" in text),
        "raises": float(bool(re.search(r"\braise\b", text))),
        "word_overlap": len(own & words) / max(1, len(own)),
        "word_cover": len(own & words) / max(1, len(words)),
        "distinct_tokens": _distinct(text),
        "repeated_lines": 1 - len({line.strip() for line in lines}) / max(1, len(lines)),
    }
    tree = parse(task.program(index))
    node = function(tree, task.entry_point) if tree is not None else None
    out["parses"] = float(tree is not None)
    if tree is not None and node is not None:
        out |= _tree(node, tree, given, wanted, task.entry_point)
    return out


def _tree(node: FunctionNode, tree: ast.Module, given: set[str], wanted: str, entry: str) -> dict[str, float]:
    nodes = list(ast.walk(node))
    statements = body(node)
    used = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    arguments = [a.arg for a in [*node.args.posonlyargs, *node.args.args] if a.arg != "self"]
    returns = [n for n in nodes if isinstance(n, ast.Return)]
    values = [n.value for n in returns if n.value is not None]
    known = BUILTINS | given | set(_bound(tree))
    kinds = {_kind(v) for v in values} - {""}
    loops = [n for n in nodes if isinstance(n, ast.For | ast.While)]
    constants = {repr(n.value) for n in nodes if isinstance(n, ast.Constant)}
    return {
        "empty": float(not statements or all(isinstance(s, ast.Pass) for s in statements)),
        "undefined": float(len(used - known)),
        "unused_locals": float(len(stored - used)),
        "unused_parameters": sum(a not in used for a in arguments) / max(1, len(arguments)),
        "returns_value": float(bool(values)),
        "falls_through": float(not _always_leaves(statements)),
        "mixed_returns": float(bool(values) and (len(values) < len(returns) or not _always_leaves(statements))),
        "return_kind_wrong": float(bool(wanted) and bool(kinds) and wanted not in kinds),
        "return_kind_right": float(bool(wanted) and wanted in kinds),
        "several_kinds": float(len(kinds) > 1),
        "constant_only": float(bool(values) and all(isinstance(v, ast.Constant) for v in values) and not loops),
        "returns_parameter": float(any(isinstance(v, ast.Name) and v.id in arguments for v in values)),
        "changes_parameter": float(bool(stored & set(arguments))),
        "log_nodes": math.log1p(len(nodes)),
        "depth": float(_depth(statements)),
        "cyclomatic": math.log1p(1 + sum(isinstance(n, BRANCHES) for n in nodes)),
        "loops": float(len(loops)),
        "nested_loops": float(
            any(isinstance(m, ast.For | ast.While) for n in loops for m in ast.walk(n) if m is not n)
        ),
        "comprehensions": float(sum(isinstance(n, ast.comprehension) for n in nodes)),
        "calls": math.log1p(sum(isinstance(n, ast.Call) for n in nodes)),
        "recursive": float(entry in used),
        "inner_functions": float(sum(isinstance(n, ast.FunctionDef | ast.Lambda) for n in nodes) - 1),
        "local_imports": float(any(isinstance(n, ast.Import | ast.ImportFrom) for n in nodes)),
        "try_blocks": float(any(isinstance(n, ast.Try) for n in nodes)),
        "isinstance_checks": float("isinstance" in used),
        "numbers": math.log1p(len(constants)),
        "early_return": float(bool(statements) and isinstance(statements[0], ast.If) and bool(loops)),
        "statements": math.log1p(len([n for n in nodes if isinstance(n, ast.stmt)])),
    }


def _words(text: str) -> Iterator[str]:
    for word in re.findall(r"[A-Za-z]+", text):
        stem = word.lower()
        yield stem[:-1] if stem.endswith("s") and len(stem) > 3 else stem


def _distinct(text: str) -> float:
    found = tokens(text)
    return len(set(found)) / max(1, len(found))


def _bound(tree: ast.AST) -> Iterator[str]:
    """Every name that is bound anywhere in a tree: coarse, but it never calls a good name undefined."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield (alias.asname or alias.name).split(".")[0]


def _annotated(tree: ast.Module | None, entry: str) -> str:
    """The kind of value that the prompt promises by annotation: bool, str, int, float, list, tuple, dict or ''."""
    node = function(tree, entry) if tree is not None else None
    if node is None or node.returns is None:
        return ""
    head = node.returns.value if isinstance(node.returns, ast.Subscript) else node.returns
    name = head.id.lower() if isinstance(head, ast.Name) else ""
    return name if name in ("bool", "str", "int", "float", "list", "tuple", "dict") else ""


def _kind(value: ast.expr) -> str:
    """The kind of value that an expression surely has, '' if it cannot be told."""
    if isinstance(value, ast.Constant):
        return "" if value.value is None else type(value.value).__name__
    if isinstance(value, ast.Compare) or (isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)):
        return "bool"
    if isinstance(value, ast.List | ast.ListComp):
        return "list"
    if isinstance(value, ast.Tuple):
        return "tuple"
    if isinstance(value, ast.Dict | ast.DictComp):
        return "dict"
    if isinstance(value, ast.JoinedStr):
        return "str"
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return {"all": "bool", "any": "bool", "len": "int", "sorted": "list"}.get(value.func.id, value.func.id)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in ("join", "format"):
        return "str"
    return ""


def _always_leaves(statements: Sequence[ast.stmt]) -> bool:
    """True if the last statement returns or raises on every path that can be followed."""
    if not statements:
        return False
    last = statements[-1]
    if isinstance(last, ast.Return | ast.Raise):
        return True
    if isinstance(last, ast.If):
        return _always_leaves(last.body) and _always_leaves(last.orelse)
    if isinstance(last, ast.Try):
        return all(_always_leaves(part) for part in [last.body, *(h.body for h in last.handlers)])
    if isinstance(last, ast.With):
        return _always_leaves(last.body)
    return isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and bool(last.test.value)


def _depth(statements: Sequence[ast.stmt]) -> int:
    """How deep blocks are nested."""
    inner = [getattr(s, part, []) for s in statements for part in ("body", "orelse", "finalbody")]
    return max((1 + _depth(part) for part in inner if part), default=0)
