"""Takes tests out of a test file: those that a bug makes fail were not there yet when it came in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

_UNITTEST = re.compile(r"^(\w+) \(([\w.]+)\)")


def place(test: str) -> tuple[str, tuple[str, ...]]:
    """File and names (class and function, or function) of a test as pytest or unittest writes it.

    Raises:
        ValueError: it is neither's.
    """
    if match := _UNITTEST.match(test):
        *module, owner, function = match.group(2).split(".")
        if function != match.group(1):
            raise ValueError(f"not a test of Python 3.11's unittest: {test}")
        return "/".join(module) + ".py", (owner, function)
    path, *names = test.split("[")[0].split("::")
    if not names:
        raise ValueError(f"not a test: {test}")
    return path, tuple(names)


def without(files: dict[str, str], tests: Iterable[str]) -> dict[str, str]:
    """The files without these tests; a class without any test left goes too."""
    doomed: dict[str, set[tuple[str, ...]]] = {}
    for test in tests:
        path, names = place(test)
        doomed.setdefault(path, set()).add(names)
    return {path: _cut(text, doomed[path]) if path in doomed else text for path, text in files.items()}


def _cut(text: str, doomed: set[tuple[str, ...]]) -> str:
    lines = text.splitlines(keepends=True)
    gone: set[int] = set()
    missing = set(doomed)
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            inside = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            cut = [each for each in inside if (node.name, each.name) in doomed]
            missing -= {(node.name, each.name) for each in cut}
            tests = [each for each in inside if each.name.startswith("test")]
            for each in [node] if cut and len(cut) == len(tests) else cut:
                gone |= _span(each, lines)
        elif isinstance(node, ast.FunctionDef) and (node.name,) in doomed:
            missing.discard((node.name,))
            gone |= _span(node, lines)
    if missing:
        raise ValueError(f"no such tests: {sorted(missing)}")
    kept = "".join(line for number, line in enumerate(lines) if number not in gone)
    return kept.rstrip("\n") + "\n"


def _span(node: ast.FunctionDef | ast.ClassDef, lines: list[str]) -> set[int]:
    """Line numbers (from 0) of a definition, its decorators, and the blank lines before it (or after, if none are)."""
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
    assert node.end_lineno is not None
    last = node.end_lineno
    if first > 0 and lines[first - 1].strip():
        while last < len(lines) and not lines[last].strip():
            last += 1
    while first > 0 and not lines[first - 1].strip():
        first -= 1
    return set(range(first, last))
