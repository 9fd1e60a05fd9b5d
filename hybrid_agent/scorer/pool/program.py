"""Programs as trees: parsing, and forms under which programs that differ only in names or layout are equal."""

from __future__ import annotations

import ast
import copy
import io
import keyword
import tokenize
import warnings

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def parse(program: str) -> ast.Module | None:
    """The tree of a program; None if it does not compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(program)
            compile(program, "candidate", "exec", dont_inherit=True)  # return outside a function, break outside a loop
        return tree
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def function(tree: ast.Module, name: str) -> FunctionNode | None:
    """The last top-level function of that name, which is the one that counts."""
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name == name]
    return found[-1] if found else None


def body(node: FunctionNode) -> list[ast.stmt]:
    """The statements of a function without its docstring."""
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body


def normal_form(tree: ast.Module) -> str:
    """Text equal for programs that differ only in layout, comments, docstrings and names of local variables."""
    tree = copy.deepcopy(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = body(node) or [ast.Pass()]
            _rename(node)
    return ast.dump(tree)


def _rename(node: FunctionNode) -> None:
    """Give the local names of a function numbers in order of appearance."""
    numbers: dict[str, str] = {}
    arguments = node.args
    for arg in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
        numbers.setdefault(arg.arg, f"v{len(numbers)}")
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            numbers.setdefault(inner.id, f"v{len(numbers)}")
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id in numbers:
            inner.id = numbers[inner.id]
        elif isinstance(inner, ast.arg) and inner.arg in numbers:
            inner.arg = numbers[inner.arg]


def tokens(text: str) -> list[str]:
    """Tokens of a piece of code without layout and comments; what cannot be tokenised is split at blanks."""
    out: list[str] = []
    skip = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type not in skip:
                out.append(token.string)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        seen = sum(len(token) for token in out)
        out += text[seen:].split()[:200]
    return out


def shape_tokens(text: str) -> list[str]:
    """Tokens with every name that is no keyword or builtin replaced by one sign, and strings by another."""
    import builtins

    out = []
    for token in tokens(text):
        if token.isidentifier() and not keyword.iskeyword(token) and not hasattr(builtins, token):
            out.append("NAME")
        else:
            out.append("STR" if token[:1] in "'\"" else token)
    return out


def node_names(tree: ast.AST) -> list[str]:
    """Kinds of nodes in depth-first order; operators and called names are part of the kind."""
    out: list[str] = []
    for node in ast.iter_child_nodes(tree):
        name = type(node).__name__
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name += ":" + node.func.id
        elif isinstance(node, ast.Attribute):
            name += ":" + node.attr
        elif isinstance(node, ast.Constant):
            name += ":" + repr(node.value)[:20]
        out.append(name)
        out.extend(node_names(node))
    return out
