"""What a candidate must pass before a test run is spent on it."""

from __future__ import annotations

import ast
import symtable
import warnings
from collections.abc import Mapping

from hybrid_agent.swe.edits import Patch, patched, same_key
from hybrid_agent.swe.scene import BUILTINS
from hybrid_agent.swe.source import Source, Unreadable, parse

_IMPLIED = frozenset(
    {"__file__", "__name__", "__doc__", "__path__", "__spec__", "__class__", "__builtins__", "__annotations__"}
)


class Checker:
    """Rejects what does not parse, uses a name that nothing defines, or was tried before in other words."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        self._undefined: dict[str, set[str]] = {}
        self._tried: set[str] = set()

    def problem(self, patch: Patch) -> str | None:
        """Why a patch is not worth a test run, or None; asked twice for the same patch, it says so."""
        try:
            texts = patched(patch, self.sources)
            for path, text in texts.items():
                self.sources[path].encode(text)
                compile_quietly(text, path)
                before = self._before(path)
                new = undefined(text) - before if before is not None else set()
                if new:
                    return f"{path}: undefined name {sorted(new)[0]}"
            key = same_key(texts)
        except (SyntaxError, Unreadable) as error:
            return str(error)
        if key in self._tried or key == self._unchanged(texts):
            return "the same as an earlier one"
        self._tried.add(key)
        return None

    def _before(self, path: str) -> set[str] | None:
        """Names that were undefined before any edit; None when the file did not parse."""
        if path not in self._undefined:
            try:
                self._undefined[path] = undefined(self.sources[path].text)
            except SyntaxError:
                return None
        return self._undefined[path]

    def _unchanged(self, texts: Mapping[str, str]) -> str | None:
        try:
            return same_key({path: self.sources[path].text for path in texts})
        except SyntaxError:
            return None


def compile_quietly(text: str, path: str) -> None:
    """Compile without warnings: finds what parses but is no program, such as `return` outside a function.

    Raises:
        SyntaxError: it does not compile.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, path, "exec", dont_inherit=True)
        except (ValueError, RecursionError, MemoryError, OverflowError) as error:
            raise SyntaxError(str(error)) from None


def undefined(text: str) -> set[str]:
    """Names that are read but bound nowhere they could come from. Empty for files with `import *`.

    Raises:
        SyntaxError: it does not parse.
    """
    tree = parse(text)
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree)):
        return set()
    top = symtable.symtable(text, "<text>", "exec")
    bound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    bound |= {table.get_name() for table in top.get_children()}
    read: set[str] = set()
    todo = [top]
    while todo:
        table = todo.pop()
        todo += table.get_children()
        for symbol in table.get_symbols():
            name = symbol.get_name()
            if symbol.is_declared_global() and symbol.is_assigned():
                bound.add(name)
            elif symbol.is_referenced() and (symbol.is_global() or table is top):
                read.add(name)
    return read - bound - BUILTINS - _IMPLIED
