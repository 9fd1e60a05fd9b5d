"""Texts and names in Python code that are constant although they do not look it, and names that are not."""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
from collections.abc import Callable

Text = Callable[[ast.AST | None], str | None]
Dotted = Callable[[ast.AST], str | None]
_DANGEROUS = frozenset(("os", "shutil", "subprocess", "builtins", "__builtins__", "pathlib", "sys", "posix", "pty"))


def constant(node: ast.AST, text: Text, dotted: Dotted) -> str | None:
    """The text that joined, reversed, formatted or decoded constants give, or None."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div):
        left, right = text(node.left), text(node.right)
        if left is None or right is None:
            return None
        return left + ("/" if isinstance(node.op, ast.Div) else "") + right
    if isinstance(node, ast.JoinedStr):
        return _joined([part.value if isinstance(part, ast.FormattedValue) else part for part in node.values], text)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        step = node.slice.step
        whole = text(node.value)
        backwards = isinstance(step, ast.UnaryOp) and isinstance(step.op, ast.USub)
        return whole[::-1] if whole is not None and backwards else None
    if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        return node.value.decode("latin-1")
    if isinstance(node, ast.Call):
        return _call(node, text, dotted)
    return None


def _call(node: ast.Call, text: Text, dotted: Dotted) -> str | None:
    name = dotted(node.func) or ""
    first = node.args[0] if node.args else None
    if name in ("os.path.join", "posixpath.join", "os.path.expanduser", "os.fspath", "str", "os.path.abspath"):
        parts = [text(argument) for argument in node.args]
        return None if None in parts else "/".join(part for part in parts if part is not None)
    if (
        name == "chr"
        and isinstance(first, ast.Constant)
        and isinstance(first.value, int)
        and 0 <= first.value < 0x110000
    ):
        return chr(first.value)
    if name in ("base64.b64decode", "bytes.fromhex", "codecs.decode", "base64.b32decode", "binascii.unhexlify"):
        return _decoded(name, text(first), text(node.args[1]) if len(node.args) > 1 else None)
    if isinstance(node.func, ast.Attribute):
        if node.func.attr == "join" and isinstance(first, ast.List | ast.Tuple):
            between, joined = text(node.func.value), [text(item) for item in first.elts]
            if between is not None and None not in joined:
                return between.join(part for part in joined if part is not None)
        if node.func.attr in ("decode", "encode", "strip", "lower") and len(node.args) <= 1:
            return text(node.func.value)
        if node.func.attr == "expanduser":
            return text(node.func.value)
    return None


def _decoded(name: str, coded: str | None, how: str | None) -> str | None:
    if coded is None:
        return None
    try:
        if name == "base64.b64decode":
            return base64.b64decode(coded).decode("latin-1")
        if name == "base64.b32decode":
            return base64.b32decode(coded).decode("latin-1")
        if name == "codecs.decode":
            return codecs.decode(coded, "rot13") if how in ("rot13", "rot_13") else None
        return bytes.fromhex(coded).decode("latin-1")
    except (ValueError, binascii.Error):
        return None


def _joined(parts: list[ast.expr], text: Text) -> str | None:
    known = [text(part) for part in parts]
    return None if None in known else "".join(part for part in known if part is not None)


def reflects(func: ast.AST, dotted: Dotted) -> bool:
    """A function taken by a computed name: `getattr(os, x)`, `os.__dict__[x]`, `globals()[x]`."""
    for node in ast.walk(func):
        if isinstance(node, ast.Call) and dotted(node.func) == "getattr" and len(node.args) >= 2:
            base = dotted(node.args[0]) or ""
            if dotted(node) is None and (base.split(".")[0] in _DANGEROUS or not base):
                return True
        if isinstance(node, ast.Subscript):
            base = (
                (dotted(node.value) or "") if not isinstance(node.value, ast.Call) else (dotted(node.value.func) or "")
            )
            if base in ("globals", "locals", "vars") or base.endswith("__dict__") or base == "__builtins__":
                return True
    return False
