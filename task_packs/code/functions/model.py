"""A generated function: its text, its meaning, and the inputs it is tested on."""

from __future__ import annotations

import builtins
import keyword
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hybrid_agent.packs.draw import Draw

VISIBLE = 3  # of a function's inputs, how many its visible test file uses
PARAMS = ("xs", "nums", "values", "words", "names", "text", "scores", "prices", "table", "rows", "records", "grid")
LOCALS = (
    "total",
    "found",
    "picked",
    "left",
    "right",
    "depth",
    "row",
    "key",
    "value",
    "word",
    "limit",
    "count",
    "number",
)
_TAKEN = {*dir(builtins), *keyword.kwlist, *sys.stdlib_module_names, *PARAMS, *LOCALS}


@dataclass(frozen=True)
class Bug:
    """`body` with one wrong line; `line` is the index of that line. `meaning` is what the wrong body computes."""

    body: tuple[str, ...]
    line: int
    meaning: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Function:
    """A function without its name.

    `body` lines are indented for the function. `doc` is one sentence. `reference` computes the right answer
    without running `body`. `inputs` are argument tuples; `returns` the reference's answers to them.
    `bugs` are wrong bodies, each of which gives a wrong answer to one of the visible inputs at least.
    `words` are quoted or named values that the docstring mentions.
    """

    key: tuple[str, ...]
    params: tuple[str, ...]
    body: tuple[str, ...]
    doc: str
    reference: Callable[..., Any]
    inputs: tuple[tuple[Any, ...], ...]
    header: str = ""
    bugs: tuple[Bug, ...] = ()

    @property
    def returns(self) -> tuple[Any, ...]:
        """The right answer to each of `inputs`."""
        return tuple(self.reference(*args) for args in self.inputs)

    def bare(self, name: str) -> str:
        """The function's text without a docstring, with a final newline."""
        head = f"{self.header}\n\n\n" if self.header else ""
        lines = "\n".join(self.body)
        return f"{head}def {name}({', '.join(self.params)}):\n{lines}\n"

    def source(self, name: str, body: Sequence[str] | None = None, example: str = "") -> str:
        """The function's text with `body` (default: the right one) and a final newline."""
        doc = f'    """{self.doc}"""' if not example else f'    """{self.doc}\n\n{example}\n    """'
        head = f"{self.header}\n\n\n" if self.header else ""
        lines = "\n".join(self.body if body is None else body)
        return f"{head}def {name}({', '.join(self.params)}):\n{doc}\n{lines}\n"


def call(name: str, args: Sequence[Any]) -> str:
    """A call as it is written in a test."""
    return f"{name}({', '.join(map(literal, args))})"


def literal(value: Any) -> str:
    """A Python literal with double-quoted strings (the style of the generated code)."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    return repr(value)


def identifier(draw: Draw) -> str:
    """A unique name for a function, a module or a variable that hides no builtin, keyword or library module."""
    while True:
        name = draw.ident()
        if name not in _TAKEN and not name.startswith("test"):
            return name


def folder(draw: Draw) -> str:
    """A unique folder name, fit for a scene's own folder."""
    while True:
        name = draw.dir()
        if name not in _TAKEN:
            return name
