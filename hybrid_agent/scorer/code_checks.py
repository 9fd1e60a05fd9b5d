"""What can be said of Python source without running it."""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_BUILTIN = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__path__", "__class__"}
_BRANCHES = (
    ast.If, ast.For, ast.While, ast.IfExp, ast.ExceptHandler, ast.With, ast.Assert, ast.comprehension, ast.BoolOp,
    ast.Match,
)  # fmt: skip
_MAX_SOURCE = 50_000


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """Static facts of one Python source; all counts are 0 if it does not parse.

    Attributes:
        parses: it compiles to a syntax tree.
        undefined: names read but bound nowhere in sight.
        unused_params: parameters of functions that are never read.
        unused_names: local variables and imports that are never read.
        stubs: functions whose body does nothing (`pass`, `...`, `raise NotImplementedError`).
        complexity: cyclomatic complexity, 1 + branches (McCabe 1976).
        numbers: the numeric literals, as written in decimal.
        defined: names of the functions and classes it defines.
        oddities: comparisons of a thing with itself, unreachable statements, keys given twice.
    """

    parses: bool = False
    undefined: tuple[str, ...] = ()
    unused_params: int = 0
    unused_names: int = 0
    stubs: int = 0
    complexity: int = 0
    numbers: tuple[str, ...] = ()
    defined: tuple[str, ...] = ()
    oddities: int = 0


def check_code(source: str) -> CodeFacts:
    """Look at one source file."""
    if len(source) > _MAX_SOURCE:
        return CodeFacts()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes: not our code
            tree = ast.parse(source)
            table = symtable.symtable(source, "candidate", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return CodeFacts()
    try:
        undefined, params, names = _names(table)
        nodes = list(ast.walk(tree))
    except RecursionError:
        return CodeFacts()
    functions = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    classes = [n for n in nodes if isinstance(n, ast.ClassDef)]
    return CodeFacts(
        parses=True,
        undefined=undefined,
        unused_params=params,
        unused_names=names,
        stubs=sum(_is_stub(f.body) for f in functions),
        complexity=1 + sum(isinstance(n, _BRANCHES) for n in nodes),
        numbers=tuple(repr(n.value) for n in nodes if isinstance(n, ast.Constant) and _is_number(n.value)),
        defined=tuple(n.name for n in (*functions, *classes)),
        oddities=sum(_is_odd(n) for n in nodes),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _names(top: symtable.SymbolTable) -> tuple[tuple[str, ...], int, int]:
    """(undefined names, unused parameters, unused locals and imports)."""
    tables = list(_below(top))
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    bound |= {s.get_name() for t in tables for s in t.get_symbols() if s.is_declared_global() and s.is_assigned()}
    read = {s.get_name() for t in tables for s in t.get_symbols() if s.is_referenced() and s.is_global()}
    undefined = tuple(sorted(read - bound - _BUILTIN))
    params = names = 0
    for table in tables:
        for symbol in table.get_symbols():
            name = symbol.get_name()
            if symbol.is_referenced() or name.startswith(("_", ".")) or name in ("self", "cls"):
                continue
            if table.get_type() == "function":
                params += symbol.is_parameter() and not _read_inside(table, name)
                local = symbol.is_assigned() and symbol.is_local() and not symbol.is_parameter()
                names += local and not symbol.is_namespace() and not _read_inside(table, name)
            elif table.get_type() == "module":
                names += symbol.is_imported() and name not in read
    return undefined, params, names


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _below(child)


def _read_inside(table: symtable.SymbolTable, name: str) -> bool:
    """True if a nested scope reads the variable."""
    inner = (symbol for child in table.get_children() for symbol in child.get_symbols())
    return any(symbol.get_name() == name and symbol.is_free() for symbol in inner)


def _is_stub(body: list[ast.stmt]) -> bool:
    rest = body[1:] if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else body
    if not rest:
        return True
    if len(rest) > 1:
        return False
    only = rest[0]
    if isinstance(only, ast.Raise) and only.exc is not None:
        called = only.exc.func if isinstance(only.exc, ast.Call) else only.exc
        return isinstance(called, ast.Name) and called.id == "NotImplementedError"
    return isinstance(only, ast.Pass)


def _is_odd(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare) and len(node.comparators) == 1:
        return ast.dump(node.left) == ast.dump(node.comparators[0])
    if isinstance(node, ast.Dict):
        keys = [k.value for k in node.keys if isinstance(k, ast.Constant)]
        return len(keys) != len(set(keys))
    body = getattr(node, "body", None)
    if isinstance(body, list):
        return any(isinstance(s, ast.Return | ast.Raise | ast.Break | ast.Continue) for s in body[:-1])
    return False
