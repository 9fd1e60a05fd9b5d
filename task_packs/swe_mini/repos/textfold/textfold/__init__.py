"""Plain text for terminals."""

from textfold.align import center, justify, left, right, truncate
from textfold.lists import bullets, numbered
from textfold.outline import Outline
from textfold.table import Table
from textfold.width import strip_codes, visible
from textfold.wrap import indent, wrap, wrap_lines

__all__ = [
    "Outline",
    "Table",
    "bullets",
    "center",
    "indent",
    "justify",
    "left",
    "numbered",
    "right",
    "strip_codes",
    "truncate",
    "visible",
    "wrap",
    "wrap_lines",
]
