"""A small calculator language."""

from calcu.errors import CalcError, EvalError, SyntaxProblem
from calcu.evaluator import Evaluator, evaluate
from calcu.parser import parse
from calcu.render import render, show_number
from calcu.scope import Scope
from calcu.simplify import simplify

__all__ = [
    "CalcError",
    "EvalError",
    "Evaluator",
    "Scope",
    "SyntaxProblem",
    "evaluate",
    "parse",
    "render",
    "show_number",
    "simplify",
]
