"""A Python file as text with exact places: what is not edited stays byte for byte as it was."""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

_LINE_END = re.compile(r"\r\n|\r|\n")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Unreadable(Exception):
    """The file cannot be edited; the message says why."""


class Source:
    """One Python file.

    Args:
        path: relative to the root of the repository, with forward slashes.
        data: its bytes. Encoding (cookie, BOM) and line ends are kept.

    Raises:
        Unreadable: it cannot be decoded.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            self.text = data.decode(encoding)
        except (SyntaxError, UnicodeDecodeError, LookupError) as error:
            raise Unreadable(f"{path}: cannot be decoded ({error})") from None
        self.encoding = encoding
        self._bom = codecs.BOM_UTF8 if encoding == "utf-8-sig" else b""
        ends = _LINE_END.findall(self.text)
        self.newline = max(("\n", "\r\n", "\r"), key=ends.count) if ends else "\n"
        self.starts = [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def encode(self, text: str) -> bytes:
        """Text of this file as bytes, in its encoding.

        Raises:
            Unreadable: the text has characters that the encoding lacks.
        """
        try:
            if self._bom:
                return self._bom + text.encode("utf-8")
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise Unreadable(f"{self.path}: {error}") from None

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree.

        Raises:
            SyntaxError: it does not parse.
        """
        return parse(self.text, self.path)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Parent of every node."""
        found: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                if not isinstance(child, ast.expr_context | ast.operator | ast.cmpop | ast.boolop | ast.unaryop):
                    found[child] = node
        return found

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """All statements, outer before inner."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.stmt)]

    @cached_property
    def first_on_line(self) -> dict[int, ast.stmt]:
        """Line -> the first statement that starts on it."""
        found: dict[int, ast.stmt] = {}
        for node in self.statements:
            found.setdefault(node.lineno, node)
        return found

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Parents of a node, nearest first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The statement that a node is or lies in."""
        if isinstance(node, ast.stmt):
            return node
        return next((above for above in self.ancestors(node) if isinstance(above, ast.stmt)), None)

    def function(self, node: ast.AST) -> Function | None:
        """The innermost function around a node."""
        return next((above for above in self.ancestors(node) if isinstance(above, Function)), None)

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class around a node."""
        return next((above for above in self.ancestors(node) if isinstance(above, ast.ClassDef)), None)

    def at(self, line: int, column: int) -> int:
        """Offset in `text` of a line (from 1) and a column in UTF-8 bytes, as syntax trees give them."""
        start = self.starts[line - 1]
        row = self.text[start : self.starts[line] if line < len(self.starts) else None]
        if row.isascii():
            return start + column
        return start + len(row.encode("utf-8")[:column].decode("utf-8", "ignore"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Offsets of a node; decorators of a function count as part of it."""
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        decorators = getattr(node, "decorator_list", None)
        if decorators:
            return self.starts[decorators[0].lineno - 1] + _indent(self.line_text(decorators[0].lineno)), self.end(node)
        return self.at(line, column), self.end(node)

    def end(self, node: ast.AST) -> int:
        """Offset just after a node."""
        return self.at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def segment(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def line_text(self, line: int) -> str:
        """One line without its end."""
        start = self.starts[line - 1]
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def line_of(self, offset: int) -> int:
        """Number of the line that holds an offset."""
        return bisect_right(self.starts, offset)

    def indent(self, line: int) -> str:
        """Leading blanks of a line."""
        text = self.line_text(line)
        return text[: _indent(text)]

    def alone(self, statement: ast.stmt) -> bool:
        """True when no other statement or clause shares the statement's lines."""
        start, end = self.span(statement)
        before = self.text[self.starts[self.line_of(start) - 1] : start]
        line = self.line_of(max(start, end - 1))
        after = self.text[end : self.starts[line] if line < len(self.starts) else len(self.text)].strip()
        return not before.strip() and (not after or after.startswith("#"))

    def whole_lines(self, statement: ast.stmt) -> tuple[int, int]:
        """Offsets of all lines of a statement that is `alone`, the last line's end included."""
        start, end = self.span(statement)
        first, last = self.line_of(start), self.line_of(max(start, end - 1))
        return self.starts[first - 1], self.starts[last] if last < len(self.starts) else len(self.text)


def parse(text: str, name: str = "<text>") -> ast.Module:
    """`ast.parse` that keeps quiet about strings with odd escapes.

    Raises:
        SyntaxError: it does not parse (also for NUL bytes and nesting that is too deep).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text, name)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error)) from None


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" \t\f"))
