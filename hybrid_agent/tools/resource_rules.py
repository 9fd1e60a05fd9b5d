"""Calls that would fill memory, disk or processor: endless loops, endless input, huge sizes."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hybrid_agent.tools.findings import Findings
from hybrid_agent.tools.shell_parse import Redirect, Word

if TYPE_CHECKING:
    from hybrid_agent.tools.shell_rules import ShellJudge

HUGE = 1 << 30  # bytes: the sandbox gives less
_ENDLESS = frozenset(("/dev/zero", "/dev/urandom", "/dev/random", "/dev/full"))
_CUTS = frozenset(("head", "dd", "timeout", "sed"))
_UNITS = {"": 1, "b": 512, "c": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50, "e": 1 << 60}


def size(text: str) -> int:
    """Bytes meant by `10G`, `1T`, `5MB`, `1e12`; 0 if it is not a size."""
    found = re.fullmatch(r"[+-]?(\d+(?:\.\d+)?(?:e\d+)?)\s*([bckmgtpe]?)i?b?", text.strip(), re.I)
    return int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0


def pipeline(shell: ShellJudge, words: Sequence[Word], redirects: Sequence[Redirect], fed_by: Sequence[str]) -> None:
    """A command fed by, or itself, a source that never ends, and whose output is kept."""
    texts = [word.text for word in words]
    name = posixpath.basename(texts[0]) if texts else ""
    inputs = {redirect.target.text for redirect in redirects if redirect.op == "<"}
    itself = name == "yes" or bool(_ENDLESS & ({*texts[1:], *inputs}))
    fed = "yes" in fed_by or bool(_ENDLESS & set(fed_by))
    cut = name in _CUTS or bool(_CUTS & {posixpath.basename(word) for word in fed_by})
    keeps = name in ("tee", "sponge") or any(r.op in (">", ">>", ">|", "&>", "&>>") for r in redirects)
    if not cut and keeps and (itself or fed):
        shell.findings.destroy("resource.endless", "writes without end")
    elif itself and name in ("cp", "sort", "tail", "tac", "rev", "tr", "base64") and not cut and not fed_by:
        if name != "cp" and name in ("tr", "base64"):
            return  # what reads it decides
        shell.findings.destroy("resource.endless", f"{name} never comes to an end")


def sizes(shell: ShellJudge, name: str, arguments: Sequence[Word]) -> None:
    """fallocate, truncate, head, dd, mkfile, ulimit: how much they take."""
    texts = [word.text for word in arguments]
    biggest = 0
    if name == "dd":
        given = dict(text.split("=", 1) for text in texts if "=" in text)
        count = size(given["count"]) if "count" in given else None
        source = given.get("if", "")
        if count is None and source in _ENDLESS and given.get("of", "") not in ("", "/dev/null"):
            shell.findings.destroy("resource.endless", "dd writes without end")
        biggest = size(given.get("bs", "512")) * max(count or 0, 1) + size(given.get("seek", "0"))
    else:
        for place, text in enumerate(texts):
            value = (
                texts[place + 1] if text in ("-l", "-s", "-c", "--bytes", "--size") and place + 1 < len(texts) else ""
            )
            joined = re.fullmatch(r"(?:-[lsc]|--(?:length|size|bytes)=)(\S+)", text)
            biggest = max(biggest, size(value), size(joined[1]) if joined else 0)
            if name in ("mkfile", "seq"):
                biggest = max(biggest, size(text) * (4 if name == "seq" else 1))
    if biggest >= HUGE:
        shell.findings.destroy("resource.size", f"{name} asks for {biggest >> 30} GiB")


# --- Python


def endless_loop(node: ast.While, findings: Findings) -> None:
    """`while True` that nothing in its body ever leaves."""
    if not (isinstance(node.test, ast.Constant) and bool(node.test.value)):
        return
    leaves = (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Await)
    for part in node.body:
        for inner in ast.walk(part):
            if isinstance(inner, leaves):
                return
            if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute | ast.Name):
                called = inner.func.attr if isinstance(inner.func, ast.Attribute) else inner.func.id
                if called in ("exit", "quit", "_exit", "abort", "input"):
                    return
    findings.destroy("resource.endless", "a loop that never ends")


def number(node: ast.AST | None) -> float:
    """The value of constant arithmetic, capped; 0 if it is not one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(min(node.value, 10**30))
    if isinstance(node, ast.BinOp):
        left, right = number(node.left), number(node.right)
        if isinstance(node.op, ast.Mult):
            return min(left * right, 1e30)
        if isinstance(node.op, ast.Pow):
            return float(min(left ** min(right, 20), 1e30)) if left > 0 and right > 0 else 0.0
        if isinstance(node.op, ast.LShift):
            return float(min(left * 2.0 ** min(right, 90), 1e30))
        if isinstance(node.op, ast.Add):
            return left + right
    return 0.0


def product(node: ast.BinOp, findings: Findings) -> None:
    """`"x" * 10**11`, `[0] * 10**10`: how long the result is."""
    if not isinstance(node.op, ast.Mult):
        return
    for thing, times in ((node.left, node.right), (node.right, node.left)):
        filled = isinstance(thing, ast.List | ast.Tuple) and bool(thing.elts)
        text = isinstance(thing, ast.Constant) and isinstance(thing.value, str | bytes) and bool(thing.value)
        if (filled or text) and number(times) >= HUGE / 8:
            findings.destroy("resource.size", "builds something larger than the memory")


def python_size(name: str, node: ast.Call, findings: Findings) -> None:
    """`bytearray(10**12)`, `list(range(10**12))`, `f.truncate(1 << 50)`, `os.posix_fallocate`."""
    last = name.rsplit(".", 1)[-1]
    makers = ("bytearray", "bytes", "truncate", "seek", "posix_fallocate", "ftruncate", "urandom", "zeros", "ones")
    if last in makers and node.args and max(number(argument) for argument in node.args) >= HUGE:
        findings.destroy("resource.size", f"{name or last} asks for more than the machine has")
    if name in ("list", "tuple", "set", "sorted", "sum") and node.args:
        inner = node.args[0]
        ranged = isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "range"
        if isinstance(inner, ast.Call) and ranged and max(map(number, inner.args), default=0) >= HUGE:
            findings.destroy("resource.size", f"{name}(range(...)) is larger than the memory")
